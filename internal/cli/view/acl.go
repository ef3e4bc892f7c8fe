package view

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/slipway-go/slipway/acl"
	"github.com/slipway-go/slipway/diag"
)

// The forms in which other tools take rights.
const (
	KafkaACLs Format = "kafka-acls" // commands for kafka-acls.sh
	Strimzi   Format = "strimzi"    // KafkaUser objects
)

// Grants are rights on one cluster, with what they are for.
type Grants struct {
	Environment string
	Cluster     string
	Grants      []acl.Grant
	Why         bool // tables tell the reasons too; documents always do
}

type grantDocument struct {
	Principal    string           `json:"principal"`
	ResourceType acl.ResourceType `json:"resourceType"`
	ResourceName string           `json:"resourceName"`
	Pattern      acl.Pattern      `json:"pattern"`
	Operation    acl.Operation    `json:"operation"`
	Reason       []acl.Reason     `json:"reason"`
}

type grantsDocument struct {
	Header
	Environment string          `json:"environment"`
	Cluster     string          `json:"cluster"`
	Grants      []grantDocument `json:"grants"`
}

// Grants writes rights.
func (v *View) Grants(g Grants) error {
	doc := grantsDocument{header("Grants"), g.Environment, g.Cluster, []grantDocument{}}
	var names []string
	for _, one := range g.Grants {
		doc.Grants = append(doc.Grants, grantDocument{
			one.Principal, one.ResourceType, one.Name, one.Pattern, one.Operation, v.placed(one.Reasons),
		})
		names = append(names, "acl/"+one.Binding.String())
	}
	return v.answer(doc, func(w io.Writer) { v.grants(w, g) }, names)
}

func (v *View) grants(w io.Writer, g Grants) {
	if len(g.Grants) == 0 {
		fmt.Fprintf(w, "No contract calls for a right in environment %s on cluster %s.\n", diag.Escape(g.Environment), diag.Escape(g.Cluster))
		return
	}
	titles := []string{"PRINCIPAL", "RESOURCE", "NAME", "PATTERN", "OPERATION"}
	if g.Why {
		titles = append(titles, "BECAUSE")
	}
	t := newTable(w, titles...)
	principals := map[string]bool{}
	for _, one := range g.Grants {
		principals[one.Principal] = true
		row := []string{one.Principal, string(one.ResourceType), one.Name, string(one.Pattern), string(one.Operation)}
		if g.Why {
			row = append(row, v.because(one.Reasons))
		}
		t.row(row...)
	}
	t.flush()
	fmt.Fprintf(w, "\n%s of %s in environment %s on cluster %s.\n", count(len(g.Grants), "right"), count(len(principals), "principal"), diag.Escape(g.Environment), diag.Escape(g.Cluster))
}

// because tells reasons in one cell, each with its place.
func (v *View) because(reasons []acl.Reason) string {
	told := make([]string, len(reasons))
	for i, r := range v.placed(reasons) {
		told[i] = r.String()
	}
	return strings.Join(told, ", ")
}

// Commands writes command lines as they are: escaping them would make others
// of them, so whoever made them has refused what a terminal would act on.
func (v *View) Commands(lines []string) error {
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintln(&b, line)
	}
	_, err := io.WriteString(v.Out, b.String())
	return err
}

// KafkaUsers writes objects for Strimzi as a stream of YAML documents.
func (v *View) KafkaUsers(users []acl.KafkaUser) error {
	var b bytes.Buffer
	for _, u := range users {
		b.WriteString("---\n")
		if err := encode(&b, YAML, u); err != nil {
			return err
		}
	}
	_, err := v.Out.Write(b.Bytes())
	return err
}
