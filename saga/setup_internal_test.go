package saga

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	slipway "github.com/slipway-go/slipway"
	"github.com/slipway-go/slipway/diag"
)

type outboxTx = *sql.Tx

func stateOf(t *testing.T, set attribute.Set) string {
	t.Helper()
	state, ok := set.Value("saga.state")
	name, named := set.Value("saga.name")
	if !ok || !named || name.AsString() != "order" {
		t.Errorf("attributes are %v, want a name and a state", set.ToSlice())
	}
	return state.AsString()
}

func TestADefinitionThatCannotRunIsRefusedWithItsCode(t *testing.T) {
	t.Parallel()
	nameless, renamed, again := ordering(), ordering(), ordering()
	nameless.Name, renamed.Name = "", "other"
	renamed.Version = 2
	for name, tt := range map[string]struct {
		defs []Definition[purchase]
		want string
	}{
		"invalid":             {[]Definition[purchase]{nameless}, "Name is empty"},
		"a version twice":     {[]Definition[purchase]{ordering(), again}, "version 1 is given twice"},
		"a saga of two names": {[]Definition[purchase]{ordering(), renamed}, `it is given as a former version of "order"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(newApp(t, nil), openSQLite(t), tt.defs[0], tt.defs[1:]...)
			if !errors.Is(err, diag.SagaDefinition) || !strings.Contains(diag.Of(err).Text(), tt.want) {
				t.Errorf("New() = %v, want %s and %q", err, diag.SagaDefinition, tt.want)
			}
		})
	}
}

func TestACommandThatWouldLeaveWithoutItsTransitionIsRefused(t *testing.T) {
	t.Parallel()
	app := newApp(t, nil)
	def := ordering()
	def.Steps[1].Do = Ask(slipway.NewProducer[[]byte](app, "payments.asked.v1"), func(string, *purchase) *[]byte { return nil })
	_, err := New(app, openSQLite(t), def)
	if !errors.Is(err, diag.SagaTopic) || !strings.Contains(err.Error(), "payments.asked.v1") {
		t.Errorf("New() = %v, want %s", err, diag.SagaTopic)
	}
}
