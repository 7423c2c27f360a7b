// fasthttp's PipelineClient under test: one connection each, as many goroutines as the depth, warm-up first; prints what
// the measured part cost as one line of JSON, in the form that the clients in JavaScript print.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

func cpuMicros() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano()/1000 + usage.Stime.Nano()/1000
}

func peakRssBytes() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Maxrss * 1024
}

func run(clients []*fasthttp.PipelineClient, url string, depth int, requests int64) (bodyBytes int64) {
	var workers sync.WaitGroup
	left := requests
	for _, client := range clients {
		for n := 0; n < depth; n++ {
			workers.Add(1)
			go func(client *fasthttp.PipelineClient) {
				defer workers.Done()
				request := fasthttp.AcquireRequest()
				response := fasthttp.AcquireResponse()
				request.SetRequestURI(url)
				for atomic.AddInt64(&left, -1) >= 0 {
					if err := client.Do(request, response); err != nil {
						fmt.Fprintln(os.Stderr, err)
						os.Exit(1)
					}
					if response.StatusCode() != 200 {
						fmt.Fprintln(os.Stderr, "status", response.StatusCode())
						os.Exit(1)
					}
					atomic.AddInt64(&bodyBytes, int64(len(response.Body())))
				}
			}(client)
		}
	}
	workers.Wait()
	return
}

func main() {
	address := flag.String("address", "", "host:port")
	depth := flag.Int("depth", 64, "requests on the wire, a connection")
	connections := flag.Int("connections", 1, "")
	requests := flag.Int64("requests", 1, "measured")
	warmUp := flag.Int64("warm-up", 1, "requests before that")
	flag.Parse()

	clients := make([]*fasthttp.PipelineClient, *connections)
	for n := range clients {
		clients[n] = &fasthttp.PipelineClient{Addr: *address, MaxConns: 1, MaxPendingRequests: *depth}
	}
	url := "http://" + *address + "/"
	run(clients, url, *depth, *warmUp)
	cpu, start := cpuMicros(), time.Now()
	bodyBytes := run(clients, url, *depth, *requests)
	wall := time.Since(start)
	line, err := json.Marshal(map[string]int64{
		"responses":    *requests,
		"bodyBytes":    bodyBytes,
		"cpuMicros":    cpuMicros() - cpu,
		"wallMicros":   wall.Microseconds(),
		"peakRssBytes": peakRssBytes(),
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}
