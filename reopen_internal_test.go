package slipway

import "testing"

// A partition may be revoked, and handed on, while its next life is prepared.
func TestAPartitionThatIsGoneIsNotCommittedForItsNextLife(t *testing.T) {
	t.Parallel()
	p := newPartition(topicPartition{"orders", 0}, new(tap), nil)
	c := &consumer{owned: map[topicPartition]*partition{p.topicPartition: p}}
	if got := c.still(p); len(got) != 1 || got[0] != p {
		t.Errorf("still() = %v, want the partition while it is owned", got)
	}
	c.owned[p.topicPartition] = newPartition(p.topicPartition, new(tap), nil)
	if got := c.still(p); got != nil {
		t.Errorf("still() = %v after the partition came back, want nothing", got)
	}
	delete(c.owned, p.topicPartition)
	if got := c.still(p); got != nil {
		t.Errorf("still() = %v after the partition was revoked, want nothing", got)
	}
}
