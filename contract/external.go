package contract

// External lists what others own: it is checked against, never planned.
type External struct {
	Topics     map[string]*ExternalTopic
	Groups     []string
	Principals []string
	Readers    map[string]*ExternalReader // by the name of who reads

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

// An ExternalReader is a program without a contract that reads a topic with a
// schema of its own. A new version of the topic's schema has to be readable for
// it too.
type ExternalReader struct {
	Name   string
	Topic  string
	Schema Schema
}
