// Drive tries the shop: it places orders, follows them through every service
// and says whether anything was lost, duplicated or out of order.
//
//	slipway up examples/shop -- go run ./drive -orders 10000
//	slipway up examples/shop -- go run ./drive -contract
//
// With -contract it checks instead what the services promise to whoever calls
// them: see package promise.
//
// Exit statuses: 0 every promise was kept, 1 one was broken, 2 the run was cut
// short and proves nothing, 64 wrong usage or surroundings. ("go run" turns
// every status but 0 into 1; build the driver to tell them apart.)
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/shop/drive/trial"
)

const (
	exitFail    = 1
	exitUnknown = 2
	exitUsage   = 64
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	var cfg trial.Config
	flags := flag.NewFlagSet("drive", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&cfg.Orders, "orders", 1000, "how many orders to place")
	flags.IntVar(&cfg.Concurrency, "concurrency", 64, "how many to place at a time")
	flags.DurationVar(&cfg.Stall, "stall", 2*time.Minute, "how long nothing may move before unfinished orders count as lost")
	timeout := flags.Duration("timeout", 5*time.Minute, "how long the whole run may take")
	promises := flags.Bool("contract", false, "check what the services promise to callers, instead of placing -orders")
	output := flags.String("o", "text", "text or json")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return exitUsage
	}
	err := errors.Join(
		positive("-orders", int64(cfg.Orders)), positive("-concurrency", int64(cfg.Concurrency)),
		positive("-timeout", int64(*timeout)), positive("-stall", int64(cfg.Stall)), oneOf(*output), unexpected(flags.Args()),
		address(lookup, "ORDERS_URL", &cfg.OrdersURL), address(lookup, "INVENTORY_URL", &cfg.InventoryURL), address(lookup, "PAYMENTS_URL", &cfg.PaymentsURL),
	)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeoutCause(ctx, *timeout, fmt.Errorf("it took longer than -timeout %v", *timeout))
	defer cancel()
	if *promises {
		return runPromises(ctx, lookup, stdout, stderr)
	}
	summary := trial.Run(ctx, cfg)
	write := summary.WriteText
	if *output == "json" {
		write = summary.WriteJSON
	}
	if err := write(stdout); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFail
	}
	switch summary.Result {
	case trial.Pass:
		return 0
	case trial.Fail:
		return exitFail
	}
	return exitUnknown
}

func positive(name string, n int64) error {
	if n > 0 {
		return nil
	}
	return fmt.Errorf("error[SHOP-001]: %s is not above zero", name)
}

func oneOf(output string) error {
	if output == "text" || output == "json" {
		return nil
	}
	return fmt.Errorf("error[SHOP-001]: -o is %q, want text or json", output)
}

func unexpected(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("error[SHOP-001]: %q is no flag; the driver takes no arguments", args[0])
}

// address reads where a service is.
func address(lookup func(string) (string, bool), name string, to *string) error {
	text, _ := lookup(name)
	if text == "" {
		return fmt.Errorf("error[SHOP-002]: %s is not set, so the driver does not know where the service is\n"+
			"  fix: run it with slipway up examples/shop -- go run ./drive", name)
	}
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("error[SHOP-002]: %s is %q, want an address such as http://127.0.0.1:18081", name, text)
	}
	*to = text
	return nil
}
