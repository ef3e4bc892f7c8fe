package order

import (
	"errors"
	"net/http"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/web"
)

// Routes serves the API:
//
//	POST /orders        places an order; Idempotency-Key makes a repeat harmless
//	GET  /orders/{id}   the order with its state
//	GET  /ledger        what the service did
func (s *Service) Routes(mux *http.ServeMux) {
	mux.Handle(placeRequest, web.Handler(s.postOrder))
	mux.Handle("GET /orders/{id}", web.Handler(s.getOrder))
	ledger.Handle(mux, s.db)
}

func (s *Service) postOrder(r *http.Request) (web.Response, error) {
	key, err := web.Key(r)
	if err != nil {
		return web.Response{}, err
	}
	var req Request
	if err := web.Decode(r, &req); err != nil {
		return web.Response{}, err
	}
	o, placed, err := s.Place(r.Context(), key, req)
	switch {
	case err != nil:
		return web.Response{}, err
	case placed:
		return web.Created("/orders/"+o.ID, o), nil
	}
	return web.OK(o), nil
}

func (s *Service) getOrder(r *http.Request) (web.Response, error) {
	o, err := byID(r.Context(), s.db.Reader(), r.PathValue("id"))
	if errors.Is(err, errUnknown) {
		return web.Response{}, web.NotFound("order_unknown", "there is no order %.80q", r.PathValue("id"))
	}
	return web.OK(o), err
}
