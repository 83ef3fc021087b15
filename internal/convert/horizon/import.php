<?php
// Evaluates an application's configuration files, by Laravel itself where it is
// there, else by stand-ins for what such files call, and tells what they say.
// Each argument is a job as JSON.

/** What a file asks of Laravel and stand-ins cannot answer. */
final class QueuefleetMissing extends RuntimeException
{
}

/** State of the job that is being done. */
final class Queuefleet
{
    public static $base = '';

    /** @var array<string, string> */
    public static $variables = [];

    /** @var string[] */
    public static $warnings = [];

    public static function warn($text)
    {
        if (! in_array($text, self::$warnings, true)) {
            self::$warnings[] = $text;
        }
    }
}

/** Reads a .env file as Laravel does. Errors name lines, never their text. */
function queuefleet_dotenv($path)
{
    $all = [];
    $text = @file_get_contents($path);
    if ($text === false) {
        throw new RuntimeException("$path cannot be read by the user whose the application is");
    }
    $text = preg_replace('/^\xEF\xBB\xBF/', '', $text);
    $end = '[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r|\z)';
    $pattern = '/\G(?:'.$end.'|[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*=[ \t]*'
        .'(?:"((?:[^"\\\\]|\\\\.)*)"'.$end.'|\'([^\'\r\n]*)\''.$end.'|(?!["\'])([^\r\n]*)(?:\r\n|\n|\r|\z)))/s';
    $at = 0;
    while ($at < strlen($text)) {
        if (! preg_match($pattern, $text, $m, PREG_UNMATCHED_AS_NULL, $at) || $m[0] === '') {
            throw new RuntimeException(basename($path).':'.(substr_count($text, "\n", 0, $at) + 1).': cannot be understood');
        }
        $at += strlen($m[0]);
        if (! isset($m[1])) {
            continue;
        }
        $escapes = ['n' => "\n", 'r' => "\r", 't' => "\t", 'f' => "\f", 'v' => "\v"];
        $expand = static function ($m) use ($all, $escapes) {
            if (isset($m[2])) {
                return $all[$m[2]] ?? (string) getenv($m[2]);
            }

            return $escapes[$m[1]] ?? $m[1];
        };
        if (isset($m[3])) {
            $value = $m[3];
        } elseif (isset($m[2])) {
            $value = preg_replace_callback('/\\\\([\s\S])|\$\{([A-Za-z0-9_.]+)\}/', $expand, $m[2]);
        } else {
            $value = rtrim(preg_replace('/#.*\z/s', '', (string) $m[4]));
            $value = preg_replace_callback('/(?!)()|\$\{([A-Za-z0-9_.]+)\}/', $expand, $value);
        }
        $all[$m[1]] = $value;
    }

    return $all;
}

/** What Laravel's env() makes of a variable. */
function queuefleet_env($name, $default = null)
{
    $value = Queuefleet::$variables[$name] ?? null;
    if ($value === null) {
        return $default instanceof Closure ? $default() : $default;
    }
    switch (strtolower($value)) {
        case 'true':
        case '(true)':
            return true;
        case 'false':
        case '(false)':
            return false;
        case 'empty':
        case '(empty)':
            return '';
        case 'null':
        case '(null)':
            return null;
    }

    return preg_match('/\A([\'"])(.*)\1\z/s', $value, $m) ? $m[2] : $value;
}

/** Defines stand-ins for the functions and classes that configuration files use. */
function queuefleet_stand_ins()
{
    if (function_exists('env')) {
        return;
    }
    define('QUEUEFLEET_STAND_INS', true);
    eval(<<<'PHP'
function env($name, $default = null) { return queuefleet_env($name, $default); }
function value($value, ...$args) { return $value instanceof Closure ? $value(...$args) : $value; }
function base_path($path = '') { return Queuefleet::$base.($path === '' ? '' : '/'.ltrim($path, '/')); }
function app_path($path = '') { return base_path('app'.($path === '' ? '' : '/'.$path)); }
function config_path($path = '') { return base_path('config'.($path === '' ? '' : '/'.$path)); }
function database_path($path = '') { return base_path('database'.($path === '' ? '' : '/'.$path)); }
function public_path($path = '') { return base_path('public'.($path === '' ? '' : '/'.$path)); }
function resource_path($path = '') { return base_path('resources'.($path === '' ? '' : '/'.$path)); }
function storage_path($path = '') { return base_path('storage'.($path === '' ? '' : '/'.$path)); }
PHP
    );
    eval(<<<'PHP'
namespace Illuminate\Support;
final class Env { public static function get($name, $default = null) { return \queuefleet_env($name, $default); } }
final class Str
{
    public static function slug($title, $separator = '-')
    {
        if (preg_match('/[^\x00-\x7f]/', $title)) {
            \Queuefleet::warn('Str::slug() of a name that is not ASCII is a guess: give --app-dir of an application with its vendor directory');
            $plain = function_exists('iconv') ? @iconv('UTF-8', 'ASCII//TRANSLIT', $title) : false;
            $title = $plain === false ? preg_replace('/[^\x00-\x7f]/', '', $title) : $plain;
        }
        $other = $separator === '-' ? '_' : '-';
        $title = str_replace('@', $separator.'at'.$separator, preg_replace('!['.preg_quote($other).']+!', $separator, $title));
        $title = preg_replace('![^'.preg_quote($separator).'a-z0-9\s]+!', '', strtolower($title));

        return trim(preg_replace('!['.preg_quote($separator).'\s]+!', $separator, $title), $separator);
    }
    public static function snake($value, $delimiter = '_') { return strtolower(preg_replace('/(.)(?=[A-Z])/', '$1'.$delimiter, preg_replace('/\s+/', '', ucwords($value)))); }
    public static function lower($value) { return strtolower($value); }
    public static function upper($value) { return strtoupper($value); }
    public static function finish($value, $cap) { return preg_replace('/(?:'.preg_quote($cap, '/').')+$/', '', $value).$cap; }
    public static function startsWith($value, $needles) { foreach ((array) $needles as $one) { if ($one !== '' && strncmp($value, $one, strlen($one)) === 0) return true; } return false; }
    public static function contains($value, $needles) { foreach ((array) $needles as $one) { if ($one !== '' && strpos($value, $one) !== false) return true; } return false; }
    public static function __callStatic($name, $arguments) { throw new \QueuefleetMissing("Str::$name() needs Laravel: give --app-dir of an application with its vendor directory"); }
}
PHP
    );
}

/** The value of a file, evaluated where it sees nothing of ours. */
function queuefleet_require($file)
{
    return (static function () {
        return require func_get_arg(0);
    })($file);
}

/** Evaluates the files of a directory without Laravel. */
function queuefleet_by_hand(array $job)
{
    Queuefleet::$base = $job['base'];
    Queuefleet::$variables = $job['env_file'] === '' ? [] : queuefleet_dotenv($job['env_file']);
    if (function_exists('env') && ! defined('QUEUEFLEET_STAND_INS')) {
        $_SERVER = Queuefleet::$variables + $_SERVER; // for Laravel's own, which is there after all
    }
    queuefleet_stand_ins();
    $all = [];
    foreach (['app', 'database', 'queue', 'horizon', 'cache'] as $name) {
        $file = $job['config'].'/'.$name.'.php';
        if (! is_file($file)) {
            if ($name === 'database' || $name === 'queue') {
                Queuefleet::warn("$name.php does not exist");
            }
            continue;
        }
        try {
            $value = queuefleet_require($file);
            if (! is_array($value)) {
                throw new RuntimeException('it returns no array');
            }
            $all[$name] = $value;
        } catch (Throwable $e) {
            if ($name === 'app') {
                continue; // providers and aliases that are not there; its name is all that was wanted
            }
            $reason = $e instanceof Error ? $e->getMessage().': give --app-dir of an application with its vendor directory' : $e->getMessage();
            Queuefleet::warn("$name.php cannot be evaluated ($reason, line {$e->getLine()})");
            $all[$name] = null;
        }
    }
    if (! isset($all['app'])) {
        $all['app'] = ['name' => env('APP_NAME', 'Laravel'), 'env' => env('APP_ENV', 'production')];
    }

    return $all;
}

/** Has the application's own Laravel load its configuration, and nothing else. */
function queuefleet_by_laravel(array $job)
{
    require_once $job['base'].'/vendor/autoload.php';
    $app = require $job['base'].'/bootstrap/app.php';
    if ($job['env_file'] !== '') {
        $app->useEnvironmentPath(dirname($job['env_file']))->loadEnvironmentFrom(basename($job['env_file']));
    }
    $app->bootstrapWith([
        'Illuminate\Foundation\Bootstrap\LoadEnvironmentVariables',
        'Illuminate\Foundation\Bootstrap\LoadConfiguration',
    ]);
    foreach ($_ENV + $_SERVER as $name => $value) {
        if (is_string($value)) {
            Queuefleet::$variables[$name] = $value;
        }
    }
    $all = $app->make('config')->all();

    return array_intersect_key($all, array_flip(['app', 'database', 'queue', 'horizon', 'cache']));
}

/** A value with its kinds and the order of its keys. */
function queuefleet_tree($value)
{
    switch (true) {
        case is_array($value):
            $pairs = [];
            foreach ($value as $key => $one) {
                $pairs[] = [(string) $key, queuefleet_tree($one)];
            }

            return ['array', $pairs];
        case is_int($value):
            return ['int', (string) $value];
        case is_float($value):
            return ['float', json_encode($value)];
        case is_bool($value):
            return ['bool', $value];
        case is_null($value):
            return ['null', null];
        case is_string($value):
            return preg_match('//u', $value) ? ['string', $value] : ['binary', null];
        default:
            return ['object', is_object($value) ? get_class($value) : gettype($value)];
    }
}

/** Horizon's own rule for the name of an environment. */
function queuefleet_matches($pattern, $name)
{
    $expression = str_replace('\*', '.*', preg_quote((string) $pattern, '#'));

    return (string) $pattern === $name || preg_match('#\A'.$expression.'\z#us', $name) === 1;
}

/** What Horizon makes of its defaults and environments. */
function queuefleet_plan(array $horizon, $environment)
{
    $defaults = (array) ($horizon['defaults'] ?? []);
    $sets = [];
    $chosen = null;
    foreach ((array) ($horizon['environments'] ?? []) as $pattern => $set) {
        $sets[(string) $pattern] = array_replace_recursive($defaults, (array) $set);
        if ($chosen === null && queuefleet_matches($pattern, $environment)) {
            $chosen = (string) $pattern;
        }
    }

    return ['environments' => array_map('strval', array_keys($sets)), 'chosen' => $chosen, 'sets' => $sets];
}

function queuefleet_job(array $job)
{
    Queuefleet::$warnings = [];
    $all = null;
    $booted = false;
    if ($job['boot']) {
        try {
            $all = queuefleet_by_laravel($job);
            $booted = true;
        } catch (Throwable $e) {
            Queuefleet::warn('the application does not boot ('.get_class($e).' at '.basename($e->getFile()).':'.$e->getLine().'); its files are evaluated without Laravel');
        }
    }
    if ($all === null) {
        $all = queuefleet_by_hand($job);
    }
    $horizon = is_array($all['horizon'] ?? null) ? $all['horizon'] : [];
    $environment = $job['environment'];
    if ($environment === '') {
        $environment = (string) (($horizon['env'] ?? null) ?: ($all['app']['env'] ?? 'production'));
    }
    $plan = queuefleet_plan($horizon, $environment);

    return [
        'booted' => $booted,
        'environment' => $environment,
        'environments' => $plan['environments'],
        'chosen' => $plan['chosen'],
        'sets' => queuefleet_tree($plan['sets']),
        'has' => (object) array_map('is_array', $all),
        'app_name' => is_string($all['app']['name'] ?? null) ? $all['app']['name'] : '',
        'redis' => queuefleet_tree($all['database']['redis'] ?? []),
        'queue' => queuefleet_tree($all['queue']['connections'] ?? []),
        'horizon' => queuefleet_tree(array_diff_key($horizon, ['defaults' => 0, 'environments' => 0])),
        'cache' => queuefleet_tree($all['cache'] ?? []),
        'variables' => (object) array_filter(Queuefleet::$variables, static function ($value) {
            return is_string($value) && preg_match('//u', $value);
        }),
        'warnings' => Queuefleet::$warnings,
    ];
}

$results = [];
foreach (array_slice($argv, 1) as $text) {
    try {
        $job = json_decode($text, true);
        $results[] = queuefleet_job($job);
    } catch (Throwable $e) {
        $results[] = ['error' => $e instanceof Error ? get_class($e).' at '.basename($e->getFile()).':'.$e->getLine() : $e->getMessage()];
    }
}
fwrite(STDOUT, "\nqueuefleet-result ".json_encode($results, JSON_THROW_ON_ERROR)."\n");
