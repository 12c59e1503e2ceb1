"""What an operator sees from outside: metrics, logs, traces; nothing here changes what is done."""
