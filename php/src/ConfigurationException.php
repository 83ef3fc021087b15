<?php

namespace Queuefleet\Laravel;

use RuntimeException;

/** The file from qftool cannot be used. The message holds no password. */
class ConfigurationException extends RuntimeException
{
}
