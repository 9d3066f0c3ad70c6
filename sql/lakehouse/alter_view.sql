-- Gives a view another text. It keeps its grants and its properties, and loses its comments.
ALTER VIEW ${view} AS
${query}
