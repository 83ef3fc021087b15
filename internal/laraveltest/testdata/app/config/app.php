<?php

$services = [
    'Bus\BusServiceProvider', 'Cache\CacheServiceProvider', 'Database\DatabaseServiceProvider', 'Encryption\EncryptionServiceProvider',
    'Filesystem\FilesystemServiceProvider', 'Foundation\Providers\ConsoleSupportServiceProvider', 'Queue\QueueServiceProvider',
    'Redis\RedisServiceProvider',
];

return [
    'name' => getenv('APP_NAME') ?: 'Laravel',
    'env' => 'testing',
    'debug' => true,
    'timezone' => 'UTC',
    'locale' => 'en',
    'fallback_locale' => 'en',
    'key' => 'base64:'.base64_encode(str_repeat('k', 32)),
    'cipher' => 'AES-256-CBC',
    'aliases' => [],
    'providers' => array_map(fn (string $name) => 'Illuminate\\'.$name, $services),
];
