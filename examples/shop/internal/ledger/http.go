package ledger

import (
	"net/http"
	"strconv"

	"example.com/shop/internal/store"
	"example.com/shop/internal/web"
)

// MaxPage is the largest page that GET /ledger gives.
const MaxPage = 5000

const defaultPage = 1000

// Handle serves GET /ledger?after=N&limit=M: the entries after position N,
// oldest first.
func Handle(mux *http.ServeMux, db store.DB) {
	mux.Handle("GET /ledger", web.Handler(func(r *http.Request) (web.Response, error) {
		after, err := number(r, "after", 0)
		if err != nil || after < 0 {
			return web.Response{}, web.BadRequest("after_invalid", "after is %q, want a position of the ledger, 0 or more", r.FormValue("after"))
		}
		limit, err := number(r, "limit", defaultPage)
		if err != nil || limit < 1 || limit > MaxPage {
			return web.Response{}, web.BadRequest("limit_invalid", "limit is %q, want 1 to %d", r.FormValue("limit"), MaxPage)
		}
		page, err := Read(r.Context(), db.Reader(), after, int(limit))
		return web.OK(page), err
	}))
}

func number(r *http.Request, name string, otherwise int64) (int64, error) {
	text := r.FormValue(name)
	if text == "" {
		return otherwise, nil
	}
	return strconv.ParseInt(text, 10, 64)
}
