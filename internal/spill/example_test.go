package spill_test

import (
	"fmt"
	"os"

	"github.com/slipway-go/slipway/internal/spill"
)

func Example() {
	dir, err := os.MkdirTemp("", "spill")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	folder, err := spill.OpenFolder(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	queue, err := spill.Open(spill.Config{Folder: folder})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer queue.Close()
	err = queue.AppendWait(spill.Record{Topic: "orders", Key: []byte("4711"), Value: []byte("placed")})
	if err != nil {
		fmt.Println(err)
		return
	}
	items, err := queue.Next(100, 1<<20)
	for _, it := range items {
		fmt.Printf("%s %s: %s\n", it.Topic, it.Key, it.Value)
	}
	fmt.Println(queue.Ack(items...), err, queue.Len())
	// Output:
	// orders 4711: placed
	// <nil> <nil> 0
}
