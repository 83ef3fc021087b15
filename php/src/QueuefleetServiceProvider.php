<?php

namespace Queuefleet\Laravel;

use Illuminate\Support\ServiceProvider;
use Throwable;

/**
 * Registers the application's connections from the file that
 * `qftool generate laravel --format=json` writes.
 *
 * It sets them when providers register, so after a cached configuration has
 * been loaded and before anything connects.
 */
class QueuefleetServiceProvider extends ServiceProvider
{
    /** Commands that write down the configuration as it is: without passwords of ours. */
    private const CACHING = ['config:cache', 'optimize'];

    public function register(): void
    {
        if ($this->isCaching()) {
            return;
        }
        try {
            $this->load();
        } catch (Throwable $e) {
            // On the console somebody is there to see it, and a worker on the wrong
            // Redis does harm. A web request must not fail because of this file.
            if ($this->app->runningInConsole()) {
                throw $e;
            }
            $this->fallBack($e);
        }
    }

    private function load(): void
    {
        $variables = $this->variables();
        $text = $variables->get('QUEUEFLEET_CONFIG_JSON');
        $source = 'QUEUEFLEET_CONFIG_JSON';
        if ($text === null || $text === '') {
            $source = (string) $variables->get('QUEUEFLEET_CONFIG');
            if ($source === '') {
                return; // not in use here
            }
            $text = @file_get_contents($source);
            if ($text === false) {
                throw new ConfigurationException("$source (QUEUEFLEET_CONFIG) cannot be read");
            }
        }
        $this->apply(Configuration::parse($text, $source), $variables);
        if (! $this->app->runningInConsole()) {
            $this->remember($text);
        }
    }

    private function variables(): Variables
    {
        $variables = new Variables;
        // With a cached configuration Laravel has not read its own .env.
        $variables->addFile($this->app->environmentFilePath());
        $passwords = $variables->get('QUEUEFLEET_ENV_FILE');
        if ($passwords === null || $passwords === '') {
            return $variables;
        }
        if (! is_file($passwords)) {
            throw new ConfigurationException("$passwords (QUEUEFLEET_ENV_FILE) does not exist, or not for this user");
        }
        $variables = new Variables;
        $variables->addFile($passwords);
        $variables->addFile($this->app->environmentFilePath());

        return $variables;
    }

    private function apply(Configuration $configuration, Variables $variables): void
    {
        // All of it before any of it: half a configuration is none.
        $redis = $configuration->part('database.redis', $variables);
        $queues = $configuration->part('queue.connections', $variables);
        $horizon = $configuration->part('horizon', $variables);

        $config = $this->app->make('config');
        $config->set('database.redis', array_replace((array) $config->get('database.redis'), $redis));
        $own = (array) $config->get('queue.connections');
        foreach ($queues as $name => $options) {
            // What the application says beyond ours, such as after_commit, stays.
            $own[$name] = array_replace((array) ($own[$name] ?? []), $options);
        }
        $config->set('queue.connections', $own);
        $config->set('horizon', array_replace((array) $config->get('horizon'), $horizon));

        $managers = new Managers($this->app);
        $managers->refreshRedis(array_merge(array_keys($redis), array_keys((array) ($redis['clusters'] ?? []))));
        $managers->refreshQueues();
        $managers->refreshHorizon();
    }

    private function isCaching(): bool
    {
        $command = $_SERVER['argv'][1] ?? '';

        return $this->app->runningInConsole() && in_array($command, self::CACHING, true);
    }

    /** Keeps what has worked, which holds no password, for when it is broken. */
    private function remember(string $text): void
    {
        $path = $this->lastGood();
        if (@file_get_contents($path) === $text) {
            return;
        }
        $temporary = $path.'.'.bin2hex(random_bytes(6));
        if (@file_put_contents($temporary, $text) === strlen($text)) {
            @rename($temporary, $path);
        } else {
            @unlink($temporary);
        }
    }

    private function fallBack(Throwable $reason): void
    {
        $now = 'the application uses its own configuration';
        try {
            $text = @file_get_contents($this->lastGood());
            if (is_string($text)) {
                $this->apply(Configuration::parse($text, $this->lastGood()), $this->variables());
                $now = 'the last good one is in use';
            }
        } catch (Throwable $e) {
            // Said already by the reason.
        }
        try {
            $this->app->make('log')->error('Queuefleet: '.$reason->getMessage().'; '.$now);
        } catch (Throwable $e) {
            error_log('Queuefleet: '.$reason->getMessage().'; '.$now);
        }
    }

    private function lastGood(): string
    {
        return $this->app->storagePath().'/framework/queuefleet-last-good.json';
    }
}
