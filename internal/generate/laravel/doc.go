// Package laravel makes a Laravel application's configuration of its Redis
// connections, its queue connections and of Horizon out of the fleet's: as PHP
// files that the application's own configuration includes, or as one JSON file
// for the package queuefleet/laravel.
//
// New decides, Render writes the texts, Verify has PHP read them back, and
// Apply brings them to the disk. Passwords are in none of these files: they
// name environment variables, whose values Variables has.
package laravel
