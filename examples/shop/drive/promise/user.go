package promise

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// signUp signs somebody up whose address is the suite's own.
func (s *shop) signUp(ctx context.Context, name string) (id, email string, err error) {
	email = s.run + "-" + name + "@example.com"
	body := map[string]string{"email": email, "name": name}
	var first string
	for range 2 { // the second time it is the same
		a, err := s.call(ctx, http.MethodPost, "users", "/users", s.run+"-"+name, body)
		var u struct {
			ID string `json:"user_id"`
		}
		if err == nil {
			err = a.decode(&u, http.StatusCreated, http.StatusOK)
		}
		if err != nil {
			return "", "", fmt.Errorf("sign up: %w", err)
		}
		if first != "" && first != u.ID {
			return "", "", fmt.Errorf("a repeated sign-up made users %s and %s", first, u.ID)
		}
		first = u.ID
	}
	return first, email, nil
}

type letters struct {
	Mails []struct {
		Subject string `json:"subject"`
		Body    string `json:"body"`
		Times   int    `json:"times"`
	} `json:"mails"`
}

// mails waits for letters to an address.
func (s *shop) mails(ctx context.Context, email string, n int) (all letters, err error) {
	return all, s.eventually(ctx, func() error {
		if err := s.get(ctx, "notifications", "/mails?to="+url.QueryEscape(email), &all); err != nil {
			return err
		}
		if len(all.Mails) < n {
			return fmt.Errorf("%d letters to %s, want %d", len(all.Mails), email, n)
		}
		return nil
	})
}

func userCreated(ctx context.Context, s *shop) error {
	ann, address, err := s.signUp(ctx, "ann")
	if err != nil {
		return err
	}
	bob, _, err := s.signUp(ctx, "bob")
	if err != nil {
		return err
	}
	if _, err := s.mails(ctx, address, 1); err != nil {
		return err
	}
	err = s.eventually(ctx, func() error {
		var page struct {
			Rows []struct {
				Topic string `json:"topic"`
			} `json:"rows"`
		}
		if err := s.get(ctx, "audit", "/audit?subject="+ann, &page); err != nil {
			return err
		}
		if len(page.Rows) != 1 || page.Rows[0].Topic != "users.created.v1" {
			return fmt.Errorf("the audit has %+v of user %s, want the sign-up", page.Rows, ann)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.tastes(ctx, ann, bob, address)
}

// tastes lets both buy a lamp and one a shade too, which the other is told of,
// and looks whether the letters came.
func (s *shop) tastes(ctx context.Context, ann, bob, address string) error {
	lamp, err := s.seed(ctx, "lamp", 2)
	if err != nil {
		return err
	}
	shade, err := s.seed(ctx, "shade", 1)
	if err != nil {
		return err
	}
	for _, b := range []struct{ user, sku string }{{ann, lamp}, {bob, lamp}, {bob, shade}} {
		if o, err := s.buy(ctx, b.sku, "card-ok", b.user); err != nil || o.State != "confirmed" {
			return errors.Join(err, fmt.Errorf("order %s is %s, want confirmed", o.ID, o.State))
		}
	}
	err = s.eventually(ctx, func() error {
		var told struct {
			Recommendations []struct {
				SKU string `json:"sku"`
			} `json:"recommendations"`
		}
		if err := s.get(ctx, "recommendations", "/recommendations/"+ann, &told); err != nil {
			return err
		}
		if len(told.Recommendations) != 1 || told.Recommendations[0].SKU != shade {
			return fmt.Errorf("user %s is told of %+v, want %s", ann, told.Recommendations, shade)
		}
		return nil
	})
	if err != nil {
		return err
	}
	all, err := s.mails(ctx, address, 2)
	if err != nil {
		return err
	}
	if len(all.Mails) != 2 || !strings.Contains(all.Mails[0].Subject, "Welcome") || !strings.Contains(all.Mails[1].Subject, "confirmed") {
		return fmt.Errorf("letters are %+v, want a welcome and a confirmed order", all.Mails)
	}
	return nil
}

func audited(ctx context.Context, s *shop) error {
	sku, err := s.seed(ctx, "audit", 2)
	if err != nil {
		return err
	}
	for _, method := range []string{"card-ok", "card-declined"} {
		o, err := s.buy(ctx, sku, method, "")
		if err != nil {
			return err
		}
		err = s.eventually(ctx, func() error {
			var h struct {
				State string `json:"state"`
				Steps []struct {
					What string `json:"what"`
				} `json:"steps"`
			}
			if err := s.get(ctx, "audit", "/audit/orders/"+o.ID, &h); err != nil {
				return err
			}
			if h.State != o.State || len(h.Steps) != 7 {
				return fmt.Errorf("by the audit order %s is %s after %d steps, want %s after 7", o.ID, h.State, len(h.Steps), o.State)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	var v struct {
		Whole bool  `json:"whole"`
		Rows  int64 `json:"rows"`
	}
	if err := s.get(ctx, "audit", "/audit/verify", &v); err != nil {
		return err
	}
	if !v.Whole || v.Rows == 0 {
		return fmt.Errorf("the audit is %+v, want it whole", v)
	}
	return nil
}
