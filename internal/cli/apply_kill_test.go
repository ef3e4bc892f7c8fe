package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// changing are the requests by which an apply changes a cluster.
var changing = []kmsg.Key{
	kmsg.CreateTopics, kmsg.CreatePartitions, kmsg.DeleteTopics, kmsg.IncrementalAlterConfigs,
	kmsg.CreateACLs, kmsg.DeleteACLs, kmsg.AlterUserSCRAMCredentials, kmsg.AlterClientQuotas,
}

// F-56, with a process: whichever request a SIGKILL falls on, made or not made,
// the next apply does the rest, and nothing is left to plan.
func TestAnApplyKilledAtAnyRequestIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	kills := 0
	for n := int64(1); ; n++ {
		before := killedApply(t, n, false)
		after := killedApply(t, n, true)
		if !before && !after {
			break
		}
		kills += 2
	}
	if kills < 8 {
		t.Errorf("%d applies were killed, want one for each kind of request at least", kills)
	}
	t.Logf("%d applies were killed, and the next one finished each", kills)
}

// killedApply kills an apply at its nth changing request, which the cluster
// makes or not, and applies again. It reports false if there was no nth request.
func killedApply(t *testing.T, n int64, made bool) bool {
	t.Helper()
	f := alive(t)
	estate := place(t, map[string]string{
		"orders/slipway.yaml": shopOrders + "quotas: {produce: 10MiB/s}\n", "stock/slipway.yaml": shopStock, "ca.crt": string(f.cluster.CA()),
		"clusters.yaml": "apiVersion: slipway.dev/v1\nkind: Clusters\nclusters:\n  kafka: {id: \"" + f.admin.ID() + "\", bootstrap: {scram: \"" + f.bootstrap() + "\"}, ca: {file: ca.crt}}\nenvironments:\n  prod: {default: kafka}\n",
	})
	secrets := filepath.Join(t.TempDir(), "secrets")
	args := []string{"apply", estate, "-e", "prod", "--secrets", secrets, "--yes"}
	c := exec.Command("slipway", args...)
	c.Env = append(os.Environ(), "SLIPWAY_SASL_USER="+f.getenv("SLIPWAY_SASL_USER"), "SLIPWAY_SASL_PASSWORD_FILE="+f.getenv("SLIPWAY_SASL_PASSWORD_FILE"))
	f.must(c.Start())
	var seen atomic.Int64
	f.cluster.Kafka().Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.Kafka().KeepControl()
		if !slices.Contains(changing, kmsg.Key(req.Key())) || seen.Add(1) != n {
			return nil, nil, false
		}
		_ = c.Process.Kill()
		return nil, errors.New("the process is killed"), !made
	})
	err := c.Wait()
	if err == nil {
		return false
	}
	if !strings.Contains(err.Error(), "killed") {
		t.Fatalf("apply ended by itself: %v", err)
	}
	if n == 1 {
		f.require(f.slipway(args...), 3, "SLP-PLN-02", "slipway-apply-prod")
	}
	f.unlock("slipway-apply-prod")
	f.require(f.slipway(args...), 0)
	f.require(f.slipway("drift", estate, "-e", "prod"), 0, "0 differences, 0 orphans")
	for _, user := range []string{"svc-orders-prod", "svc-stock-prod", "svc-stock-prod-redrive"} {
		if strings.TrimSpace(read(t, secrets, user+"/password")) == "" {
			t.Errorf("kill at request %d: there is no password of %s", n, user)
		}
	}
	return true
}

// unlock is what the end of a dead holder's session does.
func (f *liveFixture) unlock(group string) {
	f.Helper()
	client, err := kgo.NewClient(f.cluster.Options(f.cluster.Admin())...)
	f.must(err)
	defer client.Close()
	m, err := f.admin.Membership(f.Context(), group)
	f.must(err)
	for _, holder := range m.Members {
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Group, req.MemberID = group, holder.ID
		member := kmsg.NewLeaveGroupRequestMember()
		member.MemberID = holder.ID
		req.Members = append(req.Members, member)
		_, err := req.RequestWith(f.Context(), client)
		f.must(err)
	}
}
