package queue

import "strings"

// backward reads members from the closing brace of the object towards its
// beginning, as far as they are whole. Outside of strings that direction is as
// unambiguous as the other one: a quote that ends or begins a string is never
// preceded by a backslash that is not itself escaped.
//
// Of a field that occurs twice the last one counts, which is the first one met.
func (f *fields) backward(s string) {
	end := trimSpace(s, len(s))
	if end == 0 || s[end-1] != '}' {
		return
	}
	for end = trimSpace(s, end-1); end > 0; {
		start := skipBack(s, end)
		if start < 0 {
			return
		}
		i := trimSpace(s, start)
		if i == 0 || s[i-1] != ':' {
			return
		}
		keyEnd := trimSpace(s, i-1)
		keyStart := skipTextBack(s, keyEnd)
		if keyStart < 0 {
			return
		}
		key, _ := text(s[:keyEnd], keyStart)
		var g fields
		g.set(key, s[start:end])
		f.setMissing(g)
		i = trimSpace(s, keyStart)
		if i == 0 || s[i-1] != ',' {
			return
		}
		end = trimSpace(s, i-1)
	}
}

// trimSpace returns the end of s[:end] without the white space at its end.
func trimSpace(s string, end int) int {
	return len(strings.TrimRight(s[:end], " \t\r\n"))
}

// skipBack returns where the value that ends at end begins, -1 if that is
// before the beginning of s.
func skipBack(s string, end int) int {
	if end == 0 {
		return -1
	}
	switch s[end-1] {
	case '"':
		return skipTextBack(s, end)
	case '}', ']':
		return skipNestedBack(s, end)
	case ',', ':', '{', '[':
		return -1
	}
	i := end
	for i > 0 && strings.IndexByte(":,{[ \t\r\n", s[i-1]) < 0 {
		i--
	}
	if i == 0 {
		return -1
	}
	return i
}

// skipTextBack returns where the string begins whose closing quote is s[end-1],
// -1 if that is before the beginning of s.
func skipTextBack(s string, end int) int {
	if end < 2 || s[end-1] != '"' {
		return -1
	}
	for i := end - 1; i > 0; {
		quote := strings.LastIndexByte(s[:i], '"')
		if quote < 0 {
			return -1
		}
		slashes := 0
		for slashes < quote && s[quote-1-slashes] == '\\' {
			slashes++
		}
		if slashes == quote {
			return -1 // there may be a backslash before the cut
		}
		if slashes%2 == 0 {
			return quote
		}
		i = quote
	}
	return -1
}

func skipNestedBack(s string, end int) int {
	depth := 0
	for i := end; i > 0; i-- {
		switch s[i-1] {
		case '"':
			start := skipTextBack(s, i)
			if start < 0 {
				return -1
			}
			i = start + 1
		case '}', ']':
			depth++
		case '{', '[':
			if depth--; depth == 0 {
				return i - 1
			}
		}
	}
	return -1
}
