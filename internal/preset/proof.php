<?php
// Run by Queuefleet before an application's artisan: when artisan has done its
// work, tells which Redis some of its queue connections use. Passwords are not
// told.
register_shutdown_function(static function () {
    $answer = [];
    try {
        $config = \Illuminate\Container\Container::getInstance()->make('config');
        foreach (explode(',', (string) getenv('QUEUEFLEET_PROOF')) as $name) {
            $queue = $config->get('queue.connections');
            if (! isset($queue[$name]) || ! is_array($queue[$name])) {
                $answer[$name] = ['missing' => true];
                continue;
            }
            $redis = (string) ($queue[$name]['connection'] ?? 'default');
            $all = (array) $config->get('database.redis');
            $one = isset($all[$redis]) && is_array($all[$redis]) ? $all[$redis] : null;
            $answer[$name] = [
                'driver' => (string) ($queue[$name]['driver'] ?? ''),
                'redis' => $redis,
                'missing_redis' => $one === null,
                'cluster' => $one === null && isset($all['clusters'][$redis]),
            ];
            if ($one === null) {
                continue;
            }
            if (! empty($one['url']) && class_exists('Illuminate\Support\ConfigurationUrlParser')) {
                $one = (new \Illuminate\Support\ConfigurationUrlParser)->parseConfiguration($one);
                if (in_array(strtolower((string) ($one['driver'] ?? '')), ['tcp', 'tls', 'rediss'], true)) {
                    $one['scheme'] = strtolower($one['driver']);
                }
            }
            foreach (['scheme', 'host', 'port', 'path', 'database'] as $key) {
                $answer[$name][$key] = isset($one[$key]) && is_scalar($one[$key]) ? (string) $one[$key] : '';
            }
        }
        $answer = ['connections' => $answer, 'signals' => extension_loaded('pcntl') && function_exists('pcntl_async_signals')];
    } catch (\Throwable $e) {
        $answer = ['error' => get_class($e)];
    }
    file_put_contents('php://stdout', "\nqueuefleet-proof ".json_encode($answer)."\n");
});
