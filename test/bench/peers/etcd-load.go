// A closed loop of puts against etcd, driven by its own Go client: so many goroutines, each with one put outstanding, for
// a fixed time. Prints one JSON object. Built with Debian's packages golang-go and golang-etcd-server-dev.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"sync"
	"time"

	"go.etcd.io/etcd/clientv3"
)

func main() {
	endpoint := flag.String("endpoint", "", "the leader's address for clients")
	clients := flag.Int("clients", 64, "puts outstanding")
	valueBytes := flag.Int("value-bytes", 256, "size of a value")
	keys := flag.Int("keys", 10000, "number of different keys")
	warmUp := flag.Duration("warm-up", time.Second, "time before measuring")
	measure := flag.Duration("measure", 5*time.Second, "time of measuring")
	flag.Parse()

	client, err := clientv3.New(clientv3.Config{Endpoints: []string{*endpoint}, DialTimeout: 5 * time.Second})
	if err != nil {
		fail(err)
	}
	defer client.Close()

	value := make([]byte, *valueBytes)
	rand.New(rand.NewSource(1)).Read(value)
	start := time.Now().Add(*warmUp)
	end := start.Add(*measure)
	latencies := make([][]time.Duration, *clients)
	failures := make(chan error, *clients)
	var running sync.WaitGroup
	for number := 0; number < *clients; number++ {
		running.Add(1)
		go func(number int) {
			defer running.Done()
			dice := rand.New(rand.NewSource(int64(number)))
			for {
				sent := time.Now()
				if !sent.Before(end) {
					return
				}
				key := fmt.Sprintf("key-%d", dice.Intn(*keys))
				if _, err := client.Put(context.Background(), key, string(value)); err != nil {
					failures <- err
					return
				}
				done := time.Now()
				if !done.Before(start) && done.Before(end) {
					latencies[number] = append(latencies[number], done.Sub(sent))
				}
			}
		}(number)
	}
	running.Wait()
	select {
	case err := <-failures:
		fail(err)
	default:
	}

	var all []time.Duration
	for _, own := range latencies {
		all = append(all, own...)
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	quantile := func(q float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return float64(all[int(q*float64(len(all)-1))].Microseconds()) / 1000
	}
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"operations": len(all),
		"perSecond":  float64(len(all)) / measure.Seconds(),
		"p50Ms":      quantile(0.5),
		"p99Ms":      quantile(0.99),
	})
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
