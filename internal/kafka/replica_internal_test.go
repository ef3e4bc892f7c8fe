package kafka

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

func TestReplicasStayWhereTheyAreAndSpreadOverRacksAndBrokers(t *testing.T) {
	t.Parallel()
	racks := map[int32]string{1: "a", 2: "a", 3: "b", 4: "c"}
	for name, tt := range map[string]struct {
		has    []int32
		leader int32
		want   int
		load   map[int32]int
		now    []int32
	}{
		"more go to other racks":             {[]int32{1}, 1, 3, nil, []int32{1, 3, 4}},
		"the least loaded of a rack":         {[]int32{3, 4}, 3, 3, map[int32]int{1: 2, 2: 1}, []int32{3, 4, 2}},
		"fewer lose the last":                {[]int32{3, 1, 4}, 3, 2, nil, []int32{3, 1}},
		"the leader stays though it is last": {[]int32{3, 1, 4}, 4, 1, nil, []int32{4}},
		"no more than there are brokers":     {[]int32{2}, 2, 9, nil, []int32{2, 3, 4, 1}},
		"a partition without a leader":       {[]int32{1, 2, 3}, -1, 2, nil, []int32{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := &placement{rack: racks, load: map[int32]int{}}
			maps.Copy(at.load, tt.load)
			if got := at.place(tt.has, tt.leader, tt.want); !slices.Equal(got, tt.now) {
				t.Errorf("place(%v, leader %d, %d) = %v, want %v", tt.has, tt.leader, tt.want, got, tt.now)
			}
		})
	}
	at := &placement{rack: map[int32]string{1: "", 2: "", 3: ""}, load: map[int32]int{}}
	for range 30 {
		at.place([]int32{1}, 1, 2)
	}
	if fmt.Sprint(at.load) != "map[2:15 3:15]" {
		t.Errorf("30 replicas were spread as %v", at.load)
	}
}
