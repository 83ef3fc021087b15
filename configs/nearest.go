package configs

// Nearest returns the candidate that text was probably meant to be, or "".
func Nearest(text string, candidates []string) string { return nearest(text, candidates) }
