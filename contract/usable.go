package contract

// Usable is how many instances of a service get a partition in the group that has
// most to share out, given how many partitions each topic has; the others have
// nothing to read. Every instance is a member of each group, of which there are two
// where entries of one are on two clusters. Where partitions are shared out across
// topics each one counts; where neighbours of each topic go to the same instances
// (assignment: range), the largest topic does. 0 means that it reads in no group.
func (r *Resolved) Usable(s *Service, partitions func(topic string) int) int {
	type group struct{ suffix, cluster string }
	shares := make(map[group]int)
	most := 0
	for _, c := range s.Consumes {
		if !c.Grouped() {
			continue
		}
		of, n := group{c.Group, r.ClusterName(c.Cluster)}, partitions(c.Topic)
		if c.Protocol == Classic && c.Assignment == Range {
			shares[of] = max(shares[of], n)
		} else {
			shares[of] += n
		}
		most = max(most, shares[of])
	}
	return most
}
