<?php
/*
 * Tests of the package with the framework that is installed. Run by
 * `go test ./internal/generate/laravel`, or by itself: php tests/run.php
 */

use Illuminate\Config\Repository;
use Illuminate\Foundation\Application;
use Laravel\Horizon\Horizon;
use Queuefleet\Laravel\ConfigurationException;
use Queuefleet\Laravel\QueuefleetServiceProvider;

$autoload = getenv('QUEUEFLEET_TEST_AUTOLOAD');
require $autoload === false ? '/usr/share/php/Illuminate/autoload.php' : $autoload;
spl_autoload_register(function ($class) {
    $file = __DIR__.'/../src/'.substr($class, strlen('Queuefleet\\Laravel\\')).'.php';
    if (strncmp($class, 'Queuefleet\\Laravel\\', 19) === 0 && is_file($file)) {
        require $file;
    }
});
require __DIR__.'/horizon.php';

set_error_handler(function ($level, $message, $file, $line) {
    if (error_reporting() & $level) {
        throw new ErrorException($message, 0, $level, $file, $line);
    }

    return false;
});

/** An application that serves the web where it is told so. */
class TestApplication extends Application
{
    public $web = false;

    public function runningInConsole()
    {
        return ! $this->web;
    }
}

/** Keeps what is logged. */
class TestLog
{
    public $lines = [];

    public function error($message)
    {
        $this->lines[] = $message;
    }
}

function application(bool $web = false): TestApplication
{
    $dir = sys_get_temp_dir().'/queuefleet-'.bin2hex(random_bytes(6));
    mkdir("$dir/storage/framework", 0700, true);
    register_shutdown_function(function () use ($dir) {
        array_map('unlink', array_filter(array_merge(glob("$dir/{,.}*", GLOB_BRACE), glob("$dir/storage/framework/*")), 'is_file'));
        @rmdir("$dir/storage/framework");
        @rmdir("$dir/storage");
        @rmdir($dir);
    });
    $app = new TestApplication($dir);
    $app->web = $web;
    $app->instance('log', new TestLog);
    $app->instance('config', new Repository([
        'database' => ['redis' => [
            'client' => 'phpredis', 'options' => ['prefix' => 'own_'],
            'default' => ['url' => 'redis://own', 'host' => 'own'], 'sessions' => ['host' => 'sessions'],
        ]],
        'queue' => ['default' => 'redis', 'connections' => [
            'sync' => ['driver' => 'sync'],
            'redis' => ['driver' => 'redis', 'connection' => 'default', 'queue' => 'own', 'retry_after' => 1, 'after_commit' => true],
        ]],
        'horizon' => ['middleware' => ['web'], 'waits' => ['redis:a' => 1, 'redis:b' => 2], 'defaults' => ['supervisor-1' => []]],
    ]));

    return $app;
}

function generated(array $change = []): string
{
    return json_encode(array_replace_recursive([
        'queuefleet' => ['version' => 1],
        'database' => ['redis' => [
            'default' => ['host' => 'ours', 'port' => 6379, 'password' => ['app', ['$env' => 'QF_SHOP_PASSWORD']], 'database' => 0],
            'mail' => null,
            'clusters' => ['mail' => ['0' => ['host' => 'a', 'port' => 1], 'options' => ['cluster' => 'redis', 'password' => ['$env' => 'QF_MAIL_PASSWORD']]]],
        ]],
        'queue' => ['connections' => [
            'redis' => ['driver' => 'redis', 'connection' => 'default', 'queue' => 'default', 'retry_after' => 90],
            'mail' => ['driver' => 'redis', 'connection' => 'mail', 'queue' => 'mails', 'retry_after' => 70],
        ]],
        'horizon' => ['use' => 'default', 'prefix' => 'h:', 'waits' => ['redis:high' => 30], 'defaults' => [], 'environments' => ['*' => []]],
    ], $change));
}

function environment(array $variables): void
{
    foreach (array_keys($_SERVER) as $name) {
        if (strncmp($name, 'QF_', 3) === 0 || strncmp($name, 'QUEUEFLEET_', 11) === 0) {
            unset($_SERVER[$name]);
        }
    }
    foreach ($variables as $name => $value) {
        $_SERVER[$name] = $value;
    }
}

function put(Application $app, string $name, string $text): string
{
    file_put_contents($app->basePath($name), $text);

    return $app->basePath($name);
}

function same($want, $got, string $what): void
{
    if ($want !== $got) {
        throw new RuntimeException("$what is ".var_export($got, true).', want '.var_export($want, true));
    }
}

function thrown(callable $what): string
{
    try {
        $what();
    } catch (ConfigurationException $e) {
        if (strpos((string) $e, 'hunter2') !== false) {
            throw new RuntimeException('a password is in an error: '.$e->getMessage());
        }

        return $e->getMessage();
    }
    throw new RuntimeException('nothing is thrown');
}

const PASSWORDS = ['QF_SHOP_PASSWORD' => 'hunter2', 'QF_MAIL_PASSWORD' => 'hunter2-mail'];

$tests = [
    'does nothing without a file' => function () {
        $app = application();
        $before = $app['config']->all();
        environment([]);
        $app->register(QueuefleetServiceProvider::class);
        same($before, $app['config']->all(), 'configuration');
    },
    'sets the connections and keeps what is the application\'s own' => function () {
        $app = application();
        environment(PASSWORDS + ['QUEUEFLEET_CONFIG' => put($app, 'q.json', generated())]);
        $app->register(QueuefleetServiceProvider::class);
        $config = $app['config'];
        same(['host' => 'ours', 'port' => 6379, 'password' => ['app', 'hunter2'], 'database' => 0], $config->get('database.redis.default'), 'default');
        same(['host' => 'sessions'], $config->get('database.redis.sessions'), 'own connection');
        same('own_', $config->get('database.redis.options.prefix'), 'own prefix');
        same(null, $config->get('database.redis.mail'), 'server in front of the cluster');
        same('hunter2-mail', $config->get('database.redis.clusters.mail.options.password'), 'cluster password');
        same([0, 'options'], array_keys($config->get('database.redis.clusters.mail')), 'cluster');
        same(['driver' => 'redis', 'connection' => 'default', 'queue' => 'default', 'retry_after' => 90, 'after_commit' => true], $config->get('queue.connections.redis'), 'queue connection');
        same(['driver' => 'sync'], $config->get('queue.connections.sync'), 'other queue connection');
        same(['redis:high' => 30], $config->get('horizon.waits'), 'waits');
        same([], $config->get('horizon.defaults'), 'defaults');
        same(['web'], $config->get('horizon.middleware'), 'own middleware');
    },
    'takes the JSON out of a variable' => function () {
        $app = application();
        environment(PASSWORDS + ['QUEUEFLEET_CONFIG_JSON' => generated(), 'QUEUEFLEET_CONFIG' => '/nowhere']);
        $app->register(QueuefleetServiceProvider::class);
        same('ours', $app['config']->get('database.redis.default.host'), 'host');
    },
    'takes passwords from the environment, from their file, from .env' => function () {
        $app = application();
        put($app, '.env', "QF_SHOP_PASSWORD=from-dotenv\nQF_MAIL_PASSWORD='from dotenv'\nQUEUEFLEET_CONFIG=".put($app, 'q.json', generated())."\n");
        environment([]);
        $app->register(QueuefleetServiceProvider::class);
        same(['app', 'from-dotenv'], $app['config']->get('database.redis.default.password'), 'password by .env');
        environment(['QUEUEFLEET_ENV_FILE' => put($app, 'secrets', 'QF_SHOP_PASSWORD="a\"\$b\\\\"'."\n")]);
        (new QueuefleetServiceProvider($app))->register();
        same(['app', 'a"$b\\'], $app['config']->get('database.redis.default.password'), 'password by file');
        same('from dotenv', $app['config']->get('database.redis.clusters.mail.options.password'), 'other password');
        $_SERVER['QF_SHOP_PASSWORD'] = '"\'quoted\'"';
        (new QueuefleetServiceProvider($app))->register();
        same(['app', "'quoted'"], $app['config']->get('database.redis.default.password'), 'password with quotes');
        $_SERVER['QF_SHOP_PASSWORD'] = 'null';
        (new QueuefleetServiceProvider($app))->register();
        same(['app', 'null'], $app['config']->get('database.redis.default.password'), 'password that looks like a word');
        $_SERVER['QF_SHOP_PASSWORD'] = 'from-environment';
        (new QueuefleetServiceProvider($app))->register();
        same(['app', 'from-environment'], $app['config']->get('database.redis.default.password'), 'password by environment');
    },
    'brings managers up to date that are in use already' => function () {
        $app = application();
        foreach (['Events\EventServiceProvider', 'Redis\RedisServiceProvider', 'Queue\QueueServiceProvider'] as $provider) {
            $app->register('Illuminate\\'.$provider);
        }
        $redis = $app->make('redis');
        $queue = $app->make('queue');
        $queue->addConnector('taught', function () {
            return null;
        });
        $before = $queue->connection('sync');
        environment(PASSWORDS + ['QUEUEFLEET_CONFIG' => put($app, 'q.json', generated(['database' => ['redis' => ['default' => ['port' => 1, 'host' => '127.0.0.1']]]]))]);
        $app->register(QueuefleetServiceProvider::class);
        same($redis, $app->make('redis'), 'manager');
        same(false, $before === $queue->connection('sync'), 'old queue connection kept');
        try {
            $redis->connection('default')->ping();
            throw new LogicException('the old connection is used');
        } catch (RedisException $e) {
            same('Connection refused', $e->getMessage(), 'error');
        }
    },
    'has Horizon take its connection anew' => function () {
        $app = application();
        $app['config']->set('database.redis.horizon', ['host' => 'own', 'options' => ['prefix' => 'own:']]);
        Horizon::$used = [];
        environment(PASSWORDS + ['QUEUEFLEET_CONFIG' => put($app, 'q.json', generated())]);
        $app->register(QueuefleetServiceProvider::class);
        same(['default'], Horizon::$used, 'connections of Horizon');
    },
    'leaves the configuration alone that is being cached' => function () {
        $app = application();
        environment(PASSWORDS + ['QUEUEFLEET_CONFIG' => put($app, 'q.json', generated())]);
        $argv = $_SERVER['argv'];
        $_SERVER['argv'] = ['artisan', 'config:cache'];
        $app->register(QueuefleetServiceProvider::class);
        $_SERVER['argv'] = $argv;
        same('own', $app['config']->get('database.redis.default.host'), 'host');
    },
    'fails on the console' => function () {
        foreach ([
            ['{"hunter2', [], 'is not JSON'],
            ['[]', [], 'was not written by qftool'],
            [generated(['queuefleet' => ['version' => 2]]), [], 'too new'],
            [json_encode(['queuefleet' => ['version' => 1]]), [], 'there is no database.redis'],
            [generated(), ['QF_SHOP_PASSWORD' => 'hunter2'], 'database.redis.clusters.mail.options.password needs the environment variable QF_MAIL_PASSWORD'],
            [generated(), PASSWORDS + ['QUEUEFLEET_ENV_FILE' => '/nowhere'], '/nowhere (QUEUEFLEET_ENV_FILE) does not exist'],
        ] as [$text, $variables, $want]) {
            $app = application();
            $before = $app['config']->all();
            environment($variables + ['QUEUEFLEET_CONFIG' => put($app, 'q.json', $text)]);
            $message = thrown(function () use ($app) {
                $app->register(QueuefleetServiceProvider::class);
            });
            same(true, strpos($message, $want) !== false, "message '$message' naming '$want'");
            same($before, $app['config']->all(), 'configuration');
        }
        $app = application();
        environment(['QUEUEFLEET_CONFIG' => '/nowhere']);
        same('/nowhere (QUEUEFLEET_CONFIG) cannot be read', thrown(function () use ($app) {
            $app->register(QueuefleetServiceProvider::class);
        }), 'message');
        $app = application();
        environment(['QUEUEFLEET_CONFIG' => put($app, 'q.json', generated()), 'QUEUEFLEET_ENV_FILE' => put($app, 'secrets', 'A=hunter2 hunter2')]);
        same(true, strpos(thrown(function () use ($app) {
            $app->register(QueuefleetServiceProvider::class);
        }), 'is not a valid .env file') !== false, 'message');
    },
    'serves the web with the last good file, or without any' => function () {
        $app = application(true);
        environment(PASSWORDS + ['QUEUEFLEET_CONFIG' => put($app, 'q.json', '{')]);
        $app->register(QueuefleetServiceProvider::class);
        same('own', $app['config']->get('database.redis.default.host'), 'host');
        same(1, count($app['log']->lines), 'number of lines logged');
        same(true, strpos($app['log']->lines[0], 'is not JSON: Syntax error; the application uses its own configuration') !== false, 'line');

        put($app, 'q.json', generated());
        (new QueuefleetServiceProvider($app))->register();
        same(1, count($app['log']->lines), 'number of lines logged');
        $kept = $app->storagePath().'/framework/queuefleet-last-good.json';
        same(generated(), file_get_contents($kept), 'what is kept');
        same([$kept], glob($app->storagePath().'/framework/*'), 'files');

        put($app, 'q.json', '{');
        $app['config']->set('database.redis.default', ['host' => 'own']);
        (new QueuefleetServiceProvider($app))->register();
        same('ours', $app['config']->get('database.redis.default.host'), 'host');
        same(true, strpos($app['log']->lines[1], 'the last good one is in use') !== false, 'line');
    },
];

$failed = 0;
foreach ($tests as $name => $test) {
    try {
        $test();
        echo "ok $name\n";
    } catch (Throwable $e) {
        $failed++;
        echo "FAIL $name: ".get_class($e).': '.$e->getMessage().' at '.$e->getFile().':'.$e->getLine()."\n";
    }
}
echo count($tests)." tests, $failed failed\n";
exit($failed === 0 ? 0 : 1);
