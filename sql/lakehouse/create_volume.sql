-- Creates the volume through which rows travel.
CREATE VOLUME IF NOT EXISTS ${volume}
COMMENT 'Rows on their way into the tables. Files are removed once they are stored.'
