package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/slipway-go/slipway/contract"
	"github.com/slipway-go/slipway/diag"
	"github.com/slipway-go/slipway/internal/auth"
	"github.com/slipway-go/slipway/internal/cli/view"
	"github.com/slipway-go/slipway/internal/kafka"
	"github.com/slipway-go/slipway/internal/secret"
	"github.com/slipway-go/slipway/internal/secure"
)

// stage writes the next password beside the one in force.
func (r rotation) stage() error {
	current, err := r.files.read(passwordFile)
	if err != nil {
		return err
	}
	if current.Empty() {
		return diag.New(diag.UserNoPassword, "%s does not exist", r.files.path(passwordFile))
	}
	return r.files.stage()
}

// alter sets every credential that the user has on the cluster: one that kept
// the old password by another mechanism would outlive the rotation.
func (r rotation) alter(ctx context.Context) error {
	next, err := r.files.read(nextFile)
	if err != nil {
		return err
	}
	if next.Empty() {
		return diag.New(diag.UserNotStaged, "%s does not exist", r.files.path(nextFile))
	}
	if err := r.delivered(ctx); err != nil {
		return err
	}
	found, err := r.session.kafka.Users(ctx, r.user.Name)
	if err != nil {
		return err
	}
	if len(found[r.user.Name]) == 0 {
		return diag.New(diag.UserUnknown, "cluster %s has no SCRAM user %s", r.session.name, r.user.Name).WithFix("run slipway apply, which makes it")
	}
	all := []contract.Auth{r.user.Mechanism}
	for _, c := range found[r.user.Name] {
		if c.Mechanism != r.user.Mechanism {
			all = append(all, c.Mechanism)
		}
	}
	for _, mechanism := range all { // a request may name a user only once
		credential := kafka.Credential{User: r.user.Name, Mechanism: mechanism, Iterations: r.iterations()}
		if err := errors.Join(r.session.kafka.SetPasswords(ctx, []kafka.Login{{Credential: credential, Password: next}})...); err != nil {
			return err
		}
	}
	return r.await(ctx, next)
}

// delivered is the guard of alter: somebody, or every instance, says that the
// next password is there.
func (r rotation) delivered(ctx context.Context) error {
	if r.args.confirmed {
		return nil
	}
	d := diag.New(diag.UserUnconfirmed, "nothing says that every instance of %s has the next password", r.user.Service)
	if len(r.args.instances) == 0 {
		return guarded(d)
	}
	token := ""
	if r.args.token != "" {
		var err error
		if token, err = readSecret(r.args.token, "admin-token-file"); err != nil {
			return err
		}
	}
	client, err := r.args.adminClient()
	if err != nil {
		return err
	}
	lacking := false
	for _, address := range r.args.instances {
		if why := holdsNext(ctx, client, address, token, r.user.Name); why != "" {
			lacking = true
			d = d.WithEvidence("%s: %s", address, why)
		}
	}
	if lacking {
		return guarded(d)
	}
	return nil
}

// How long brokers may take to learn of a credential, and how often one of
// them is asked.
const (
	takenTimeout  = 10 * time.Second
	takenInterval = 200 * time.Millisecond
)

// await waits until a login with the password works.
func (r rotation) await(ctx context.Context, password secret.Secret) error {
	deadline := time.Now().Add(takenTimeout)
	for {
		ok, err := r.takes(ctx, password)
		switch {
		case err != nil || ok:
			return err
		case time.Now().After(deadline):
			return diag.New(diag.UserNotTaken, "the credential of %s was altered, and a login with it is still refused", r.user.Name).
				WithFix("run slipway user rotate %s --status in a while; alter again if it is not taken by then", r.user.Service)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(takenInterval):
		}
	}
}

// promote makes the next password the one in force. Run again it finds nothing
// left to do.
func (r rotation) promote(ctx context.Context) error {
	next, err := r.files.read(nextFile)
	if err != nil {
		return err
	}
	if next.Empty() {
		current, err := r.files.read(passwordFile)
		if err != nil {
			return err
		}
		if ok, err := r.takes(ctx, current); err != nil || ok {
			return err // it was done
		}
		return diag.New(diag.UserNotStaged, "%s does not exist, and the cluster refuses the password in force", r.files.path(nextFile))
	}
	ok, err := r.takes(ctx, next)
	if err != nil {
		return err
	}
	if !ok {
		return guarded(diag.New(diag.UserNotTaken, "the cluster refuses a login of %s with the next password", r.user.Name))
	}
	return r.files.promote()
}

// takes reports whether the cluster accepts a login with a password.
func (r rotation) takes(ctx context.Context, password secret.Secret) (bool, error) {
	if password.Empty() {
		return false, nil
	}
	cfg, err := r.endpoint.kafka()
	if err != nil {
		return false, err
	}
	cfg.Bootstrap = r.endpoint.Bootstrap.SCRAM
	cfg.Auth, cfg.User, cfg.Password = r.user.Mechanism, r.user.Name, auth.Static(password)
	if cfg.TLS == nil && r.endpoint.ca == nil {
		addrs, err := auth.Addresses(cfg.Bootstrap)
		if err == nil && auth.RequireTLS(addrs, cfg.Auth) != nil {
			cfg.TLS = secure.Client(nil)
		}
	}
	if cfg.TLS != nil {
		cfg.TLS = cfg.TLS.Clone()
		cfg.TLS.Certificates = nil // who logs in is the user, and nobody else
	}
	cluster, err := kafka.Connect(ctx, cfg)
	switch {
	case err == nil:
		cluster.Close()
		return true, nil
	case errors.Is(err, diag.KafkaLogin):
		return false, nil
	}
	return false, err
}

// state is how far the rotation is, as files and logins tell.
func (r rotation) state(ctx context.Context) (view.Rotation, error) {
	out := view.Rotation{User: r.user.Name, Service: r.user.Service, Mechanism: string(r.user.Mechanism), Dir: r.files.path("")}
	logins := make([]string, 2)
	for i, name := range []string{passwordFile, nextFile} {
		password, err := r.files.read(name)
		if err != nil {
			return out, err
		}
		ok, err := r.takes(ctx, password)
		if err != nil {
			return out, err
		}
		switch {
		case password.Empty():
			logins[i] = view.Absent
		case ok:
			logins[i] = view.Taken
		default:
			logins[i] = view.Refused
		}
	}
	out.Password, out.Next = logins[0], logins[1]
	i := slices.IndexFunc(rotationStates, func(s rotationState) bool {
		return s.next == out.Next && (s.password == "" || s.password == out.Password)
	})
	out.State, out.Do = rotationStates[i].state, rotationStates[i].do
	return out, nil
}

// A rotationState is what the two logins mean; the first that fits.
type rotationState struct{ password, next, state, do string }

var rotationStates = []rotationState{
	{view.Taken, view.Absent, "at rest", ""},
	{view.Absent, view.Absent, "unknown", "its password is not in this directory"},
	{view.Refused, view.Absent, "broken", "the cluster takes no password of this directory: stage and alter"},
	{view.Taken, view.Refused, "staged", "deliver the directory, then --alter"},
	{"", view.Refused, "broken", "the cluster takes neither password: --alter"},
	{"", view.Taken, "altered", "--promote, then deliver the directory again"},
}
