package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/secret"
)

// challenge begins a SCRAM login and answers it with what reply makes of the
// client's nonce.
func challenge(t testing.TB, kind contract.Auth, reply func(nonce string) string) error {
	t.Helper()
	m, err := auth.Mechanism(kind, "svc-orders-dev", auth.Static(secret.New("pencil")))
	if err != nil {
		t.Fatal(err)
	}
	session, first, err := m.Authenticate(t.Context(), "kafka.example:9094")
	if err != nil {
		t.Fatal(err)
	}
	_, nonce, found := strings.Cut(string(first), ",r=")
	if !found {
		t.Fatalf("client's first message is %q, want a nonce in it", first)
	}
	_, _, err = session.Challenge([]byte(reply(nonce)))
	return err
}

func TestIterationCountsOfAServerAreBounded(t *testing.T) {
	t.Parallel()
	for count, refused := range map[string]bool{
		"4096":                 false,
		"8192":                 false,
		"16384":                false,
		"4095":                 true,
		"1":                    true,
		"0":                    true,
		"-4096":                true,
		"1000001":              true,
		"2147483647":           true,
		"99999999999999999999": true,
		"":                     true,
		"4096x":                true,
	} {
		for _, kind := range []contract.Auth{contract.SCRAMSHA256, contract.SCRAMSHA512} {
			t.Run(fmt.Sprintf("%s %q", kind, count), func(t *testing.T) {
				t.Parallel()
				err := challenge(t, kind, func(nonce string) string { return "r=" + nonce + "server,s=c2FsdHNhbHQ=,i=" + count })
				if got := errors.Is(err, diag.KafkaIterations); got != refused {
					t.Errorf("Challenge() = %v, want refused %t", err, refused)
				}
			})
		}
	}
}

func TestAHiddenIterationCountIsFound(t *testing.T) {
	t.Parallel()
	for name, attributes := range map[string]string{
		"a second one behind": "i=4096,i=2000000000",
		"a second one before": "i=2000000000,i=4096",
		"behind an extension": "i=4096,x=1,i=2000000000",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := challenge(t, contract.SCRAMSHA512, func(nonce string) string { return "r=" + nonce + "s,s=c2FsdHNhbHQ=," + attributes })
			if !errors.Is(err, diag.KafkaIterations) {
				t.Errorf("Challenge() = %v, want %s", err, diag.KafkaIterations)
			}
		})
	}
}

// FuzzServerFirstMessage holds that whatever a server says, the client never
// goes on to hash more often than it is willing to.
func FuzzServerFirstMessage(f *testing.F) {
	f.Add("s,s=c2FsdA==,i=4096")
	f.Add("s,s=c2FsdA==,i=2147483647")
	f.Add("s,s=c2FsdA==,i=4096,i=5")
	f.Add("")
	f.Add(",,i=")
	f.Fuzz(func(t *testing.T, tail string) {
		err := challenge(t, contract.SCRAMSHA256, func(nonce string) string { return "r=" + nonce + tail })
		parts := strings.Split("r="+tail, ",")
		if err != nil || len(parts) < 3 {
			return
		}
		n, convErr := strconv.Atoi(strings.TrimPrefix(parts[2], "i="))
		if convErr != nil || n < auth.MinIterations || n > auth.MaxIterations {
			t.Errorf("a login went on with %q", parts[2])
		}
	})
}

func TestMechanismsOfAContract(t *testing.T) {
	t.Parallel()
	for kind, want := range map[contract.Auth]string{
		contract.SCRAMSHA512: "SCRAM-SHA-512",
		contract.SCRAMSHA256: "SCRAM-SHA-256",
		contract.Plain:       "PLAIN",
	} {
		m, err := auth.Mechanism(kind, "u", auth.Static(secret.New("p")))
		if err != nil || m.Name() != want {
			t.Errorf("Mechanism(%s) = %v, %v, want %s", kind, m, err, want)
		}
	}
	if m, err := auth.Mechanism(contract.MTLS, "u", nil); m != nil || err != nil {
		t.Errorf("Mechanism(mtls) = %v, %v, want none", m, err)
	}
	if _, err := auth.Mechanism("kerberos", "u", nil); err == nil {
		t.Error("an unknown mechanism was accepted")
	}
}

func TestThePasswordIsAskedForAtEachLogin(t *testing.T) {
	t.Parallel()
	for _, kind := range []contract.Auth{contract.Plain, contract.SCRAMSHA256, contract.SCRAMSHA512} {
		asked := 0
		m, err := auth.Mechanism(kind, "u", func(context.Context) (secret.Secret, error) {
			asked++
			if asked == 3 {
				return secret.Secret{}, errors.New("the file is gone")
			}
			return secret.New("p" + strconv.Itoa(asked)), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 2; n++ {
			if _, first, err := m.Authenticate(t.Context(), "h"); err != nil || kind == contract.Plain && string(first) != fmt.Sprintf("\x00u\x00p%d", n) {
				t.Errorf("%s: login %d began with %q, %v", kind, n, first, err)
			}
		}
		if _, _, err := m.Authenticate(t.Context(), "h"); err == nil || !strings.Contains(err.Error(), "read password of u: the file is gone") {
			t.Errorf("%s: error %v, want the one of the password's source", kind, err)
		}
	}
}
