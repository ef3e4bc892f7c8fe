package stock

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
)

// Routes serves the API:
//
//	PUT /stock/{sku}          sets how much is available: {"available": 100}
//	GET /stock/{sku}          how much is available, reserved and committed
//	PUT /stock/{sku}/jam      jams the shelf: events that move this stock fail
//	DELETE /stock/{sku}/jam   repairs it
//	GET /ledger               what the service did
//
// [Wire] adds GET /consumption: how each topic is consumed, and what waits.
func (s *Service) Routes(mux *http.ServeMux) {
	mux.Handle("PUT /stock/{sku}", web.Handler(s.putStock))
	mux.Handle("GET /stock/{sku}", web.Handler(s.getStock))
	mux.Handle("PUT /stock/{sku}/jam", web.Handler(s.putJam))
	mux.Handle("DELETE /stock/{sku}/jam", web.Handler(s.deleteJam))
	ledger.Handle(mux, s.db)
}

const maxAvailable = 1_000_000_000

var skuPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// skuOf is the SKU that a request names.
func skuOf(r *http.Request) (string, error) {
	sku := r.PathValue("sku")
	if !skuPattern.MatchString(sku) {
		return "", web.BadRequest("sku_invalid", "sku is %.80q, want up to 64 lower-case letters, digits and -", sku)
	}
	return sku, nil
}

func (s *Service) putStock(r *http.Request) (web.Response, error) {
	sku, err := skuOf(r)
	if err != nil {
		return web.Response{}, err
	}
	var body struct {
		Available *int64 `json:"available"`
	}
	if err := web.Decode(r, &body); err != nil {
		return web.Response{}, err
	}
	if body.Available == nil || *body.Available < 0 || *body.Available > maxAvailable {
		return web.Response{}, web.BadRequest("available_invalid", "available is missing or not between 0 and %d", maxAvailable)
	}
	i, err := s.Seed(r.Context(), sku, *body.Available)
	return web.OK(i), err
}

func (s *Service) getStock(r *http.Request) (web.Response, error) {
	i, err := item(r.Context(), s.db.Reader(), r.PathValue("sku"))
	if errors.Is(err, errUnknownSKU) {
		return web.Response{}, web.NotFound("sku_unknown", "there is no SKU %.80q", r.PathValue("sku"))
	}
	return web.OK(i), err
}

// Seed sets how much of a SKU is available.
func (s *Service) Seed(ctx context.Context, sku string, available int64) (Item, error) {
	var i Item
	err := s.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := seed(ctx, tx, sku, available); err != nil {
			return err
		}
		err := ledger.Append(ctx, tx, ledger.Entry{Flow: ledger.In, Topic: "PUT /stock", Kind: "seeded", SKU: sku, Quantity: available})
		if err != nil {
			return err
		}
		i, err = item(ctx, tx, sku)
		return err
	})
	return i, err
}
