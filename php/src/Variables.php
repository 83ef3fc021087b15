<?php

namespace Queuefleet\Laravel;

use Dotenv\Dotenv;
use Throwable;

/**
 * Environment variables, as the application sees them and beyond: with a cached
 * configuration Laravel does not read its .env, and a file of passwords may lie
 * somewhere else altogether.
 */
class Variables
{
    /** @var string[] paths of further files, the first one wins */
    private $files = [];

    /** @var array<string, array<string, string>> what files hold, by path */
    private $read = [];

    /** Adds a file that is looked at where the environment has no such variable. */
    public function addFile(string $path): void
    {
        $this->files[] = $path;
    }

    /**
     * The value of a variable, or null. An empty one counts. As Laravel's env()
     * does, this takes off a pair of quotes, but takes no word for something else.
     */
    public function get(string $name): ?string
    {
        $value = $this->find($name);
        if ($value !== null && preg_match('/\A([\'"])(.*)\1\z/s', $value, $matches)) {
            return $matches[2];
        }

        return $value;
    }

    private function find(string $name): ?string
    {
        foreach ([$_SERVER, $_ENV] as $variables) {
            if (isset($variables[$name]) && is_scalar($variables[$name])) {
                return (string) $variables[$name];
            }
        }
        $value = getenv($name);
        if ($value !== false) {
            return $value;
        }
        foreach ($this->files as $path) {
            $values = $this->read($path);
            if (isset($values[$name])) {
                return $values[$name];
            }
        }

        return null;
    }

    /** @return array<string, string> */
    private function read(string $path): array
    {
        if (isset($this->read[$path])) {
            return $this->read[$path];
        }
        $text = is_file($path) ? @file_get_contents($path) : '';
        if ($text === false) {
            throw new ConfigurationException("$path cannot be read by this user");
        }
        try {
            $values = Dotenv::parse($text);
        } catch (Throwable $e) {
            // The parser's own words quote what it stumbles over.
            throw new ConfigurationException("$path is not a valid .env file");
        }

        return $this->read[$path] = array_filter($values, 'is_string');
    }
}
