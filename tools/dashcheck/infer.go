package main

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// reading is what happens to a selector on its way up.
type reading struct {
	perSecond bool   // it is within rate, increase and their kin
	function  string // which of them
	exists    bool   // only whether there is one, or one above 0, is of interest
}

// perSecond are the functions for counters; their argument is one.
var perSecond = []string{"rate", "irate", "increase", "resets", "changes"}

// existence are the functions that look at whether series are there.
var existence = []string{"absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp"}

// labels returns those of an expression's result, and checks all below it.
func (c *checker) labels(e parser.Expr, r reading) labelSet {
	switch e := e.(type) {
	case *parser.VectorSelector:
		return c.selector(e, r)
	case *parser.MatrixSelector:
		return c.labels(e.VectorSelector, r)
	case *parser.SubqueryExpr:
		return c.labels(e.Expr, r)
	case *parser.ParenExpr:
		return c.labels(e.Expr, r)
	case *parser.UnaryExpr:
		return c.labels(e.Expr, r)
	case *parser.StepInvariantExpr:
		return c.labels(e.Expr, r)
	case *parser.Call:
		return c.call(e, r)
	case *parser.AggregateExpr:
		return c.aggregate(e, r)
	case *parser.BinaryExpr:
		return c.binary(e, r)
	default: // numbers and texts
		return newLabels()
	}
}

func (c *checker) call(e *parser.Call, r reading) labelSet {
	name := e.Func.Name
	switch {
	case slices.Contains(perSecond, name):
		r.perSecond, r.function = true, name
	case slices.Contains(existence, name):
		r.exists = true
	}
	result := newLabels()
	for _, arg := range e.Args {
		if t := arg.Type(); t == parser.ValueTypeVector || t == parser.ValueTypeMatrix {
			result = c.labels(arg, r)
		} else {
			c.labels(arg, r)
		}
	}
	switch name {
	case "label_replace", "label_join":
		if target, ok := e.Args[1].(*parser.StringLiteral); ok {
			result = result.with(target.Val)
		}
	case "absent", "absent_over_time":
		return equalities(e.Args[0])
	case "scalar":
		return newLabels()
	case "histogram_quantile":
		if !result.has("le") {
			c.fail("histogram_quantile of something without the label le")
		}
		return result.without("le")
	}
	return result
}

// equalities are the labels that absent makes up: those of = matchers.
func equalities(e parser.Expr) labelSet {
	result := newLabels()
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			for _, m := range s.LabelMatchers {
				if m.Type == labels.MatchEqual && m.Name != labels.MetricName {
					result.names[m.Name] = true
				}
			}
		}
		return nil
	})
	return result
}

func (c *checker) aggregate(e *parser.AggregateExpr, r reading) labelSet {
	if e.Op == parser.COUNT || e.Op == parser.GROUP {
		r.exists = true
	}
	if e.Param != nil {
		c.labels(e.Param, reading{})
	}
	of := c.labels(e.Expr, r)
	for _, name := range e.Grouping {
		if !of.has(name) {
			c.fail("%s by or without %s, which its argument does not have; it has %s", e.Op, name, of)
		}
	}
	switch {
	case e.Op == parser.TOPK || e.Op == parser.BOTTOMK:
		return of
	case e.Without:
		return of.without(e.Grouping...)
	default:
		return of.only(e.Grouping...)
	}
}

func (c *checker) binary(e *parser.BinaryExpr, r reading) labelSet {
	left, right := r, r
	if e.Op.IsComparisonOperator() { // "has it ever happened" is a fair question to a counter
		left.exists = left.exists || isZero(e.RHS)
		right.exists = right.exists || isZero(e.LHS)
	}
	if e.Op == parser.LAND || e.Op == parser.LUNLESS {
		right.exists = true
	}
	l, rr := c.labels(e.LHS, left), c.labels(e.RHS, right)
	lv, rv := e.LHS.Type() == parser.ValueTypeVector, e.RHS.Type() == parser.ValueTypeVector
	switch {
	case lv && !rv:
		return l
	case rv && !lv:
		return rr
	case !lv:
		return newLabels()
	}
	return c.matching(e, l, rr)
}

// matching checks how two vectors find each other.
func (c *checker) matching(e *parser.BinaryExpr, l, r labelSet) labelSet {
	m := e.VectorMatching
	for _, name := range m.MatchingLabels {
		if m.On && !(l.has(name) && r.has(name)) {
			c.fail("%s on (%s), which one side does not have; left has %s, right has %s", e.Op, name, l, r)
		}
	}
	if !m.On && e.Op != parser.LOR && !l.without(m.MatchingLabels...).same(r.without(m.MatchingLabels...)) && !isConstant(e.LHS) && !isConstant(e.RHS) {
		c.fail("%s of sides that never match: left has %s, right has %s", e.Op, l, r)
	}
	for _, name := range m.Include {
		if from := map[bool]labelSet{true: r, false: l}[m.Card == parser.CardManyToOne]; !from.has(name) {
			c.fail("group takes %s from a side that does not have it; it has %s", name, from)
		}
	}
	switch {
	case e.Op == parser.LOR:
		return l.or(r)
	case e.Op.IsSetOperator() || m.Card == parser.CardManyToOne:
		return l.with(m.Include...)
	case m.Card == parser.CardOneToMany:
		return r.with(m.Include...)
	case m.On:
		return l.only(m.MatchingLabels...)
	default:
		return l.without(m.MatchingLabels...)
	}
}

func isZero(e parser.Expr) bool {
	n, ok := unwrap(e).(*parser.NumberLiteral)
	return ok && n.Val == 0
}

// isConstant reports whether e is vector(…), which is not meant to match.
func isConstant(e parser.Expr) bool {
	call, ok := unwrap(e).(*parser.Call)
	return ok && call.Func.Name == "vector"
}

func unwrap(e parser.Expr) parser.Expr {
	for {
		p, ok := e.(*parser.ParenExpr)
		if !ok {
			return e
		}
		e = p.Expr
	}
}
