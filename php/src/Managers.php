<?php

namespace Queuefleet\Laravel;

use Closure;
use Illuminate\Contracts\Foundation\Application;

/**
 * Brings what has been made of the old configuration up to date. The managers
 * themselves stay: others hold them, and have taught them more drivers.
 */
class Managers
{
    /** @var Application */
    private $app;

    public function __construct(Application $app)
    {
        $this->app = $app;
    }

    /** @param  string[]  $names  Redis connections that have changed */
    public function refreshRedis(array $names): void
    {
        if (! $this->app->resolved('redis')) {
            return;
        }
        $config = $this->app->make('config')->get('database.redis', []);
        $this->within($this->app->make('redis'), function () use ($config, $names) {
            $this->config = $config;
            foreach ($names as $name) {
                unset($this->connections[$name]);
            }
        });
        $this->app->forgetInstance('redis.connection');
    }

    /** Drops queue connections: any of them may be on a Redis that has changed. */
    public function refreshQueues(): void
    {
        if (! $this->app->resolved('queue')) {
            return;
        }
        $this->within($this->app->make('queue'), function () {
            $this->connections = [];
        });
        $this->app->forgetInstance('queue.connection');
    }

    /**
     * Horizon copies its Redis connection when it registers, which may have been
     * before.
     */
    public function refreshHorizon(): void
    {
        $horizon = 'Laravel\Horizon\Horizon';
        $config = $this->app->make('config');
        if (class_exists($horizon) && $config->get('database.redis.horizon') !== null) {
            $horizon::use($config->get('horizon.use', 'default'));
        }
    }

    /** Runs a function as a method of an object, with access to what is protected. */
    private function within($object, Closure $change): void
    {
        Closure::bind($change, $object, get_class($object))();
    }
}
