package secure

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// kept is something that is made of files, and held: what cannot be used leaves
// it as it was.
type kept[T any] struct {
	value T
	has   bool
	taken time.Time // when value came into use

	used    string // digest of the files that value was made of
	offered string // digest of what the files held last
	next    T      // made of that, and not in use yet
	ready   bool   // next is something
	fault   error  // why what the files hold is not in use
	warned  string // digest of what was complained of last
}

// offer reports whether the files hold something else than the last time.
func (k *kept[T]) offer(files ...content) bool {
	digest := digest(files)
	if digest == k.offered {
		return false
	}
	k.offered = digest
	return true
}

// parsed notes what came of what was offered.
func (k *kept[T]) parsed(next T, err error) {
	k.next, k.fault, k.ready = next, err, err == nil
	if k.has && k.offered == k.used { // what is in use is back
		k.ready, k.fault = false, nil
	}
}

// take has what is ready take the place of what is in use.
func (k *kept[T]) take(now time.Time) bool {
	if !k.ready || k.fault != nil {
		return false
	}
	k.value, k.has, k.ready = k.next, true, false
	k.used, k.taken = k.offered, now
	return true
}

// latest is what the files hold, if it can be used, or what is in use.
func (k *kept[T]) latest() T {
	if k.ready {
		return k.next
	}
	return k.value
}

// complaint returns a fault that was not told yet.
func (k *kept[T]) complaint() error {
	if k.fault == nil || k.warned == k.offered {
		return nil
	}
	k.warned = k.offered
	return k.fault
}

func digest(files []content) string {
	h := sha256.New()
	for _, c := range files {
		fmt.Fprintf(h, "%d %v\n", len(c.data), c.err)
		h.Write(c.data)
	}
	return string(h.Sum(nil))
}

// keptPair adds what time makes of a certificate.
type keptPair struct{ kept[pair] }

// judge decides whether what is ready can be used by now.
func (k *keptPair) judge(now time.Time) {
	if k.ready {
		k.fault = k.next.usable(now)
	}
}

// take counts the life of a certificate that takes the place of another from
// now: issuers date certificates back.
func (k *keptPair) take(now time.Time) bool {
	had := k.has
	if !k.kept.take(now) {
		return false
	}
	if had && now.After(k.value.from) {
		k.value.from = now
	}
	return true
}
