-- Makes a view with its comments and with the mark that tells which text it has.
CREATE VIEW ${view} (
  ${columns}
)
COMMENT ${comment}
TBLPROPERTIES (${mark})
AS
${query}
