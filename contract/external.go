package contract

// External lists what others own: it is checked against, never planned.
type External struct {
	Topics     map[string]*ExternalTopic
	Groups     []string
	Principals []string

	source source
}

// An ExternalTopic is a topic of another owner.
type ExternalTopic struct {
	Name        string
	Cluster     string // alias of the logical cluster; "default" if absent
	Partitions  int    // 0 means unknown
	Partitioner Partitioner
	Schema      *Schema
	Readers     []string // nil means any service
	Writers     []string // nil means any service
}
