package preset

// frankenphp is `frankenphp php-cli artisan queue:work`: the same workers,
// under another PHP. What differs are defaults of the configuration.
func frankenphp() Preset {
	p := laravel()
	p.Name = "frankenphp"
	return p
}
