package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
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

// reportRules prints what each group took at its last evaluation, and the
// processor time that its expressions take when they are asked for one by one:
// the honest figure where the machine has other things to do. Groups of half an
// hour have not had their evaluation yet.
func reportRules(ctx context.Context, p *prometheus, out io.Writer) error {
	var answer groups
	if _, err := get(ctx, p.base+"/api/v1/rules", nil, &answer); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%-36s %8s %8s %8s  %s\n", "group", "interval", "seconds", "CPU s", "dearest rule")
	wall, cpu := 0.0, 0.0
	for _, g := range answer.Data.Groups {
		sum, most, dearest := 0.0, -1.0, ""
		for _, r := range g.Rules {
			if r.Health == "err" {
				return fmt.Errorf("%s: %s", r.Name, r.LastError)
			}
			took, err := p.processor(ctx, "count("+r.Query+")")
			if err != nil {
				return fmt.Errorf("%s: %w", r.Name, err)
			}
			sum += took
			if took > most {
				most, dearest = took, r.Name
			}
		}
		if g.Interval < 1800 {
			wall, cpu = wall+g.EvaluationTime, cpu+sum
		}
		fmt.Fprintf(out, "%-36s %7.0fs %8.3f %8.2f  %s %.2f\n", g.Name, g.Interval, g.EvaluationTime, sum, dearest, most)
	}
	fmt.Fprintf(out, "%-36s %8s %8.3f %8.2f  all groups once, but for those of half an hour\n", "total", "", wall, cpu)
	return nil
}

// processor returns the processor time that Prometheus spends on an expression.
// It also scrapes and evaluates meanwhile, so the least of three counts.
func (p *prometheus) processor(ctx context.Context, expr string) (float64, error) {
	least := -1.0
	for range 3 {
		before, err := p.spent()
		if err != nil {
			return 0, err
		}
		var ignored any
		if _, err := get(ctx, p.base+"/api/v1/query", url.Values{"query": {expr}}, &ignored); err != nil {
			return 0, err
		}
		after, err := p.spent()
		if err != nil {
			return 0, err
		}
		if took := after - before; least < 0 || took < least {
			least = took
		}
	}
	return least, nil
}

// spent is the processor time of the process so far, in seconds.
func (p *prometheus) spent() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	// After the name, which stands in brackets: user and system time are the
	// 12th and 13th, in hundredths.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc: %q", text)
	}
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100, err
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
