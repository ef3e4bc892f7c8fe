package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Config says what to start. The zero value is three brokers on free loopback
// ports that forget everything.
type Config struct {
	// AutoCreateTopics lets clients that ask for it create topics by
	// producing to them. Off, as in production, a misspelt topic is an error.
	AutoCreateTopics bool

	// Brokers is the number of nodes, 1 to 9. Defaults to the number of
	// Ports, else 3.
	Brokers int

	// Dir is where the cluster keeps its state. Empty keeps it in memory.
	Dir string

	// Logger gets the broker's warnings and errors. Defaults to none.
	Logger *slog.Logger

	// Network, if set, replaces loopback TCP. Ports then default to 9092 and
	// up.
	Network *kfake.VirtualNetwork

	// Ports are the brokers' ports, one for each. Defaults to free ones.
	Ports []int

	// RegistryPort is the schema registry's port. Defaults to a free one.
	RegistryPort int
}

func (c Config) withDefaults() Config {
	c.Brokers = cmp.Or(c.Brokers, len(c.Ports), 3)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Network == nil {
		return c
	}
	c.RegistryPort = cmp.Or(c.RegistryPort, 8081)
	for i := len(c.Ports); i < c.Brokers; i++ {
		c.Ports = append(c.Ports[:i:i], 9092+i)
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	if c.Brokers < 1 || c.Brokers > 9 {
		errs = append(errs, fmt.Errorf("Brokers is %d, want 1 to 9", c.Brokers))
	}
	if len(c.Ports) > 0 && len(c.Ports) != c.Brokers {
		errs = append(errs, fmt.Errorf("Ports has %d ports for %d brokers", len(c.Ports), c.Brokers))
	}
	return errors.Join(errs...)
}
