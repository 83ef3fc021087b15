<?php

namespace Queuefleet\Laravel;

/** What `qftool generate laravel --format=json` has written. */
class Configuration
{
    /** The version of the file's layout that is understood. */
    public const VERSION = 1;

    /** @var array<string, mixed> */
    private $content;

    /** @var string */
    private $source;

    private function __construct(array $content, string $source)
    {
        $this->content = $content;
        $this->source = $source;
    }

    /**
     * Reads the text of a file.
     *
     * @param  string  $source  what errors name
     *
     * @throws ConfigurationException
     */
    public static function parse(string $text, string $source): self
    {
        $content = json_decode($text, true);
        if (! is_array($content)) {
            throw new ConfigurationException("$source is not JSON: ".json_last_error_msg());
        }
        $version = $content['queuefleet']['version'] ?? null;
        if ($version !== self::VERSION) {
            throw new ConfigurationException("$source was not written by qftool generate laravel --format=json, or by one that is too new for this package");
        }
        foreach (['database.redis', 'queue.connections', 'horizon'] as $key) {
            if (! is_array(self::dig($content, $key))) {
                throw new ConfigurationException("$source: there is no $key");
            }
        }

        return new self($content, $source);
    }

    /**
     * A part of the configuration with the values of variables in place.
     *
     * @throws ConfigurationException where a variable does not exist
     */
    public function part(string $key, Variables $variables): array
    {
        return $this->resolve(self::dig($this->content, $key), $variables, $key);
    }

    private static function dig(array $content, string $key)
    {
        $value = $content;
        foreach (explode('.', $key) as $step) {
            $value = is_array($value) && isset($value[$step]) ? $value[$step] : null;
        }

        return $value;
    }

    private function resolve(array $values, Variables $variables, string $path): array
    {
        foreach ($values as $key => $value) {
            if (! is_array($value)) {
                continue;
            }
            if (array_keys($value) !== ['$env']) {
                $values[$key] = $this->resolve($value, $variables, "$path.$key");
                continue;
            }
            $name = (string) $value['$env'];
            $found = $variables->get($name);
            if ($found === null) {
                throw new ConfigurationException("{$this->source}: $path.$key needs the environment variable $name, which does not exist");
            }
            $values[$key] = $found;
        }

        return $values;
    }
}
