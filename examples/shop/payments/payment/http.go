package payment

import (
	"errors"
	"net/http"

	"example.com/shop/internal/ledger"
	"example.com/shop/internal/web"
)

// Routes serves the API:
//
//	GET /payments/{order_id}   how the payment of an order ended
//	GET /ledger                what the service did
func (s *Service) Routes(mux *http.ServeMux) {
	mux.Handle("GET /payments/{order_id}", web.Handler(s.getPayment))
	ledger.Handle(mux, s.db)
}

func (s *Service) getPayment(r *http.Request) (web.Response, error) {
	p, err := find(r.Context(), s.db.Reader(), r.PathValue("order_id"))
	if errors.Is(err, errUnknown) {
		return web.Response{}, web.NotFound("payment_unknown", "there is no payment of order %.80q", r.PathValue("order_id"))
	}
	return web.OK(p), err
}
