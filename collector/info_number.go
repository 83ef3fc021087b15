package collector

import (
	"math"
	"strconv"
)

// exactPowers are the powers of ten that turn a short decimal into the nearest
// float64 by one division.
var exactPowers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// parseNumber reads a decimal number. Anything else (inf, nan, hexadecimal,
// blanks, units) is not a number here, and NaN is what it returns.
func parseNumber(s string) float64 {
	i, negative := 0, false
	if s != "" && s[0] == '-' {
		i, negative = 1, true
	}
	var mantissa int64
	digits, point := 0, -1
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			mantissa = mantissa*10 + int64(c-'0')
			if digits++; digits > 15 {
				return parseLongNumber(s)
			}
		case c == '.' && point < 0 && digits > 0:
			point = digits
		default:
			return parseLongNumber(s)
		}
	}
	if digits == 0 || point == digits {
		return math.NaN()
	}
	value := float64(mantissa)
	if point >= 0 {
		value /= exactPowers[digits-point]
	}
	if negative {
		return -value
	}
	return value
}

// parseLongNumber reads what has too many digits for parseNumber or an
// exponent. What overflows is not known either.
func parseLongNumber(s string) float64 {
	const longest = 64
	if s == "" || len(s) > longest {
		return math.NaN()
	}
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
		case c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E':
		default:
			return math.NaN()
		}
	}
	value, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return value
}
