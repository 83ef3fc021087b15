<?php

use Illuminate\Support\Str;

return [
    'default' => 'redis',
    'stores' => ['redis' => ['driver' => 'redis', 'connection' => 'default']],
    'prefix' => Str::slug(getenv('APP_NAME') ?: 'laravel', '_').'_cache',
];
