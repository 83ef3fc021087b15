// Command metricsdoc makes docs/metrics.md of docs/metrics.yaml.
//
//	go run ./metricsdoc ../docs/metrics.yaml > ../docs/metrics.md
package main

import (
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit code: 1 when the catalogue has mistakes, 2 on wrong use.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 {
		fmt.Fprintln(stderr, "usage: metricsdoc CATALOGUE.yaml > METRICS.md")
		return 2
	}
	c, err := load(args[0])
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	if _, err := io.WriteString(stdout, c.markdown()); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}
