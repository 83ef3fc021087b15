package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// get asks Prometheus' API and returns how long the answer took.
func get(ctx context.Context, address string, values url.Values, into any) (time.Duration, error) {
	begin := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		return 0, err
	}
	if values == nil {
		request.Method = http.MethodGet
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	took := time.Since(begin)
	if answer.StatusCode != http.StatusOK {
		return took, fmt.Errorf("%s: %.200s", answer.Status, text)
	}
	return took, json.Unmarshal(text, into)
}

type rule struct {
	Name, Query, Health, LastError string
	EvaluationTime                 float64
}

type groups struct {
	Data struct {
		Groups []struct {
			Name           string
			Interval       float64
			EvaluationTime float64
			Rules          []rule
		}
	}
}

// reportRules prints what each group took at its last evaluation. Groups of
// half an hour have not had theirs yet: their expressions are asked for.
func reportRules(ctx context.Context, base string, out io.Writer) error {
	var answer groups
	if _, err := get(ctx, base+"/api/v1/rules", nil, &answer); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%-36s %8s %8s  %s\n", "group", "interval", "seconds", "slowest rule")
	total := 0.0
	for _, g := range answer.Data.Groups {
		seconds, note := g.EvaluationTime, ""
		if g.Interval >= 1800 {
			seconds, note = 0, "(asked for) "
			for i := range g.Rules {
				var ignored any
				took, err := get(ctx, base+"/api/v1/query", url.Values{"query": {g.Rules[i].Query}}, &ignored)
				if err != nil {
					return fmt.Errorf("%s: %w", g.Rules[i].Name, err)
				}
				g.Rules[i].EvaluationTime = took.Seconds()
				seconds += took.Seconds()
			}
		} else {
			total += seconds
		}
		for _, r := range g.Rules {
			if r.Health == "err" {
				return fmt.Errorf("%s: %s", r.Name, r.LastError)
			}
		}
		slowest := slices.MaxFunc(g.Rules, func(a, b rule) int {
			if a.EvaluationTime < b.EvaluationTime {
				return -1
			}
			return 1
		})
		fmt.Fprintf(out, "%-36s %7.0fs %8.3f  %s%s %.3f\n", g.Name, g.Interval, seconds, note, slowest.Name, slowest.EvaluationTime)
	}
	fmt.Fprintf(out, "%-36s %8s %8.3f  all groups once, but for those of half an hour\n", "total", "", total)
	return nil
}

type panel struct {
	Title   string
	Targets []struct {
		Expr    string
		Instant bool
	}
	Panels []panel
}

// variables are what Grafana puts in: everything is selected.
var variables = strings.NewReplacer("$__rate_interval", "2m", "$__interval", "30s", "$__range", "3h")

// reportBoard prints what each query of a board takes.
func reportBoard(ctx context.Context, base, path string, out io.Writer) error {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		fmt.Fprintf(out, "\nno %s: no panels measured\n", path)
		return nil
	}
	if err != nil {
		return err
	}
	var board struct {
		Panels     []panel
		Templating struct{ List []struct{ Name string } }
	}
	if err := json.Unmarshal(text, &board); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	pairs := []string{}
	for _, v := range board.Templating.List {
		for _, form := range []string{"${" + v.Name + ":regex}", "${" + v.Name + "}", "$" + v.Name} {
			pairs = append(pairs, form, ".*")
		}
	}
	names := strings.NewReplacer(pairs...)
	fmt.Fprintf(out, "\n%-60s %8s\n", path, "seconds")
	var ask func(panels []panel) error
	ask = func(panels []panel) error {
		for _, p := range panels {
			for _, t := range p.Targets {
				took, err := query(ctx, base, names.Replace(variables.Replace(t.Expr)), t.Instant)
				if err != nil {
					return fmt.Errorf("%s: %w", p.Title, err)
				}
				fmt.Fprintf(out, "%-60s %8.3f\n", p.Title, took.Seconds())
			}
			if err := ask(p.Panels); err != nil {
				return err
			}
		}
		return nil
	}
	return ask(board.Panels)
}

func query(ctx context.Context, base, expr string, instant bool) (time.Duration, error) {
	var ignored any
	if instant {
		return get(ctx, base+"/api/v1/query", url.Values{"query": {expr}}, &ignored)
	}
	now := time.Now().Unix()
	return get(ctx, base+"/api/v1/query_range", url.Values{
		"query": {expr}, "start": {strconv.FormatInt(now-3*3600, 10)}, "end": {strconv.FormatInt(now, 10)}, "step": {"30"},
	}, &ignored)
}
