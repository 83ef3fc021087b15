<?php

namespace Laravel\Horizon;

/** Stands in for Horizon and keeps what it is told. */
class Horizon
{
    public static $used = [];

    public static function use($connection)
    {
        self::$used[] = $connection;
    }
}
