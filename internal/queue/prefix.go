package queue

import (
	"slices"
	"strings"
	"unicode"
)

// LaravelPrefixes lists the prefixes that the keys of a Laravel application
// can have, likeliest first: keyPrefix (what the configuration says of the
// connection, if anything), what the skeletons derive from the application's
// name and slug, what they derive when APP_NAME is not set, and none.
func LaravelPrefixes(name, slug, keyPrefix string) []string {
	var list []string
	add := func(p string) {
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	if keyPrefix != "" {
		add(keyPrefix)
	}
	for _, n := range []string{name, slug, "laravel"} {
		if laravelSlug(n, '_') == "" {
			continue
		}
		add(laravelSlug(n, '_') + "_database_")
		add(laravelSlug(n, '-') + "-database-")
	}
	add("")
	return list
}

// HorizonPrefixes lists the prefixes that the keys of an application's Horizon
// can have, likeliest first.
func HorizonPrefixes(name, slug string) []string {
	var list []string
	for _, n := range []string{name, slug, "laravel"} {
		if s := laravelSlug(n, '_'); s != "" && !slices.Contains(list, s+"_horizon:") {
			list = append(list, s+"_horizon:", "{"+s+"_horizon:}")
		}
	}
	return list
}

// laravelSlug is what Laravel's Str::slug makes of a name: lower case, letters
// and digits, everything between them one separator.
func laravelSlug(name string, separator rune) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ReplaceAll(name, "@", " at ") {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteRune(separator)
			}
			gap = false
			b.WriteString(ascii(unicode.ToLower(r)))
		case r == '-' || r == '_' || unicode.IsSpace(r):
			gap = true
		}
	}
	return b.String()
}

// ascii writes the accented letters of western European names without accents.
// Others stay; such an application needs its key_prefix configured.
func ascii(r rune) string {
	if r < unicode.MaxASCII {
		return string(r)
	}
	const plain = "àaáaâaãaäaåaæaeçcèeéeêeëeìiíiîiïiñnòoóoôoõoöoøoùuúuûuüuýyÿyßssśsšsžzźzżzłlčcćcěeřrůuņnńn"
	i := strings.IndexRune(plain, r)
	if i < 0 {
		return string(r)
	}
	rest := plain[i+len(string(r)):]
	end := strings.IndexFunc(rest, func(r rune) bool { return r > unicode.MaxASCII })
	if end < 0 {
		end = len(rest)
	}
	return rest[:end]
}

// cachePrefixes lists what may stand in front of the keys of a Laravel cache:
// the prefix of its Redis connection, one of hints, and the cache's own one.
// Where that is not configured it is taken to be made of the same name, as the
// skeletons do it.
func cachePrefixes(hints []string, configured string) []string {
	var list []string
	add := func(p string) {
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	for _, hint := range hints {
		for _, own := range cachePrefixesWith(hint, configured) {
			add(hint + own)
		}
	}
	return list
}

func cachePrefixesWith(hint, configured string) []string {
	switch {
	case configured != "" && strings.HasSuffix(configured, ":"):
		return []string{configured}
	case configured != "":
		return []string{configured, configured + ":", configured + "-", configured + "_"}
	}
	name, under := strings.CutSuffix(hint, "_database_")
	if under {
		return []string{name + "_cache_", name + "_cache:"}
	}
	if name, dash := strings.CutSuffix(hint, "-database-"); dash {
		return []string{name + "-cache-"}
	}
	return []string{"laravel_cache_", "laravel_cache:", "laravel-cache-", ""}
}
