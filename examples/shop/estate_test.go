package shop_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/slipway-go/slipway/contract"
)

func TestTheContractsAgreeWithEachOther(t *testing.T) {
	t.Parallel()
	estate, faults := contract.Load(os.DirFS("."), ".")
	if len(faults) > 0 {
		t.Fatalf("load:\n%v", faults)
	}
	if faults := estate.Validate(); len(faults) > 0 {
		t.Errorf("validate:\n%v", faults)
	}
	want := []string{
		"audit:18086", "inventory:18082", "notifications:18085", "orders:18081",
		"payments:18083", "recommendations:18087", "users:18084", "webhooks:18088",
	}
	var got []string
	for _, s := range estate.Services {
		got = append(got, fmt.Sprintf("%s:%d", s.Name, s.Workload.HTTP))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the services and their ports are %v, want %v", got, want)
	}
}
