// Package php has PHP itself say what PHP files mean, for the commands that
// write or read a Laravel application's configuration. Processes are started
// by internal/proc alone.
package php
