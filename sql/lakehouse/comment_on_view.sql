-- Says what a view answers.
COMMENT ON TABLE ${view} IS ${comment}
