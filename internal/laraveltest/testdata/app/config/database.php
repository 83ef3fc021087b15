<?php

use Illuminate\Support\Str;

$prefix = getenv('REDIS_PREFIX');

return [
    'default' => 'none',
    'connections' => ['none' => ['driver' => 'sqlite', 'database' => ':memory:']],
    'migrations' => 'migrations',
    'redis' => [
        'client' => 'phpredis',
        'options' => ['prefix' => $prefix === false ? Str::slug(getenv('APP_NAME') ?: 'laravel', '_').'_database_' : $prefix],
        'default' => [
            'host' => getenv('REDIS_HOST') ?: '127.0.0.1',
            'port' => (int) getenv('REDIS_PORT'),
            'database' => (int) getenv('REDIS_DB'),
            'username' => getenv('REDIS_USERNAME') ?: null,
            'password' => getenv('REDIS_PASSWORD') ?: null,
        ],
    ],
];
