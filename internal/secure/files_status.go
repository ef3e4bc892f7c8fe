package secure

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-go/slipway/diag"
)

// scarce is the share of a certificate's life, in percent, below which it is time
// to say that nobody has renewed it.
const scarce = 20

// Status is how the files and what is made of them stand.
type Status struct {
	Leaf    *x509.Certificate // of the own pair in use; nil for a side that shows none
	Read    time.Time         // when it was taken from its file
	Since   time.Time         // when its life began: its NotBefore, or Read if it took the place of another
	Refused int64             // changes of files that could not be used
	Faults  []Fault           // what is wrong with the files now
	Roots   []*x509.Certificate
	Lists   []ListStatus

	Open  int64 // connections of [Files.Dialer]
	Ended int64 // that have ended for their age, between requests
	Cut   int64 // that have ended for their age with requests open

	file string
}

// Left returns how much of the own certificate's life is left: from 1 down to 0,
// and below once it is over.
func (s Status) Left(now time.Time) float64 {
	if s.Leaf == nil {
		return 1
	}
	return float64(s.Leaf.NotAfter.Sub(now)) / float64(max(s.Leaf.NotAfter.Sub(s.Since), 1))
}

// Expired returns what is wrong if the own certificate's life is over.
func (s Status) Expired(now time.Time) error {
	if s.Leaf == nil || !now.After(s.Leaf.NotAfter) {
		return nil
	}
	return diag.New(diag.TLSOwnExpired, "the certificate in %s expired %s ago, at %s", s.file, span(now.Sub(s.Leaf.NotAfter)), instant(s.Leaf.NotAfter))
}

// Scarce returns what to say while the own certificate's end is near and nothing
// newer is there.
func (s Status) Scarce(now time.Time) error {
	if s.Leaf == nil || now.After(s.Leaf.NotAfter) || s.Left(now) >= scarce/100. {
		return nil
	}
	return diag.New(diag.TLSOwnScarce, "the certificate in %s ends in %s, at %s", s.file, span(s.Leaf.NotAfter.Sub(now)), instant(s.Leaf.NotAfter))
}

// Status looks at the files and returns how things stand.
func (f *Files) Status() Status {
	f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := Status{
		Refused: f.refused, Roots: slices.Clone(f.roots.value.certs), Lists: f.denied.value.Lists(), file: f.cfg.Cert,
		Open: f.ages.open.Load(), Ended: f.ages.ended.Load(), Cut: f.ages.cut.Load(),
	}
	if p := f.pair.value; p.cert != nil {
		s.Leaf, s.Read, s.Since = p.chain[0], f.pair.taken, p.from
	}
	s.Faults = f.faults()
	return s
}

// A Fault is why what files hold is not in use.
type Fault struct {
	Code diag.Code // diag.TLSRootsUnread, diag.TLSPairUnread or diag.TLSListUnread
	Err  error     // names the file
}

// Error tells what is wrong.
func (f Fault) Error() string { return f.Err.Error() }

// Unwrap returns what is wrong, and the code.
func (f Fault) Unwrap() []error { return []error{f.Err, f.Code} }

// faults returns what is wrong now. The lock is held.
func (f *Files) faults() (all []Fault) {
	for _, fault := range []Fault{
		{diag.TLSRootsUnread, f.roots.fault}, {diag.TLSPairUnread, f.pair.fault}, {diag.TLSListUnread, f.denied.fault},
	} {
		if fault.Err != nil {
			all = append(all, fault)
		}
	}
	return all
}

// told is what was logged already.
type told struct {
	began            bool
	roots, pair, crl string          // the digests of what is in use
	end              time.Time       // of the certificate whose nearing end was told
	expired          bool            // and that it has come
	lists            map[string]bool // overdue, or not their issuer's
}

// tell logs what has changed, and counts what was refused. The lock is held.
func (f *Files) tell(now time.Time) {
	log := f.cfg.Logger
	for _, c := range []struct {
		code     diag.Code
		err      error
		what     string
		was      *string
		used     string
		describe []any
	}{
		{diag.TLSRootsUnread, f.roots.complaint(), "authorities", &f.told.roots, f.roots.used, []any{"roots", len(f.roots.value.certs)}},
		{diag.TLSPairUnread, f.pair.complaint(), "certificate", &f.told.pair, f.pair.used, f.pair.value.describe()},
		{diag.TLSListUnread, f.denied.complaint(), "revocation lists", &f.told.crl, f.denied.used, []any{"lists", len(f.denied.value.Lists())}},
	} {
		if c.err != nil {
			f.refused++
			if f.told.began { // else the start fails with it
				log.Warn("mounted "+c.what+" cannot be used, going on with what it was", "code", c.code, "error", bounded(c.err.Error(), maxCause))
			}
		}
		if *c.was != c.used && f.told.began {
			log.Info("mounted "+c.what+" changed", c.describe...)
		}
		*c.was = c.used
	}
	f.told.began = true
	f.tellTime(now)
}

// tellTime logs what time has brought about. The lock is held.
func (f *Files) tellTime(now time.Time) {
	if p := f.pair.value; p.cert != nil {
		s := Status{Leaf: p.chain[0], Since: p.from, file: f.cfg.Cert}
		if !f.told.end.Equal(s.Leaf.NotAfter) {
			f.told.end, f.told.expired = time.Time{}, false
		}
		if err := s.Scarce(now); err != nil && f.told.end.IsZero() {
			f.told.end = s.Leaf.NotAfter
			f.cfg.Logger.Warn("the certificate ends soon and no newer one is there", "code", diag.TLSOwnScarce, "error", err)
		}
		if err := s.Expired(now); err != nil && !f.told.expired {
			f.told.end, f.told.expired = s.Leaf.NotAfter, true
			f.cfg.Logger.Error("the certificate has expired", "code", diag.TLSOwnExpired, "error", err)
		}
	}
	for _, l := range f.denied.value.Lists() {
		f.tellList(now, l)
	}
}

func (f *Files) tellList(now time.Time, l ListStatus) {
	name := fmt.Sprint(l.Issuer, " ", l.Number, " ", l.NextUpdate.Unix(), " ", l.Forged)
	if !l.Overdue(now) && !l.Forged || f.told.lists[name] {
		return
	}
	if f.told.lists == nil || len(f.told.lists) > 1000 {
		f.told.lists = make(map[string]bool)
	}
	f.told.lists[name] = true
	if l.Forged {
		f.refused++
		f.cfg.Logger.Warn("a revocation list is not signed by its issuer and denies nothing", "code", diag.TLSListUnread,
			"issuer", bounded(l.Issuer, maxCause), "file", f.cfg.CRL)
		return
	}
	f.cfg.Logger.Warn("a revocation list is overdue and goes on denying what it lists", "code", diag.TLSListOverdue,
		"issuer", bounded(l.Issuer, maxCause), "file", f.cfg.CRL, "next_update", l.NextUpdate)
}

func (p pair) describe() []any {
	if p.cert == nil {
		return nil
	}
	leaf := p.chain[0]
	return []any{"subject", bounded(leaf.Subject.String(), maxCause), "serial", Serial(leaf), "not_after", leaf.NotAfter}
}
