-- The tables of a schema whose names fit, and what is known of each, its properties among it.
SHOW TABLE EXTENDED IN ${schema} LIKE ${pattern}
