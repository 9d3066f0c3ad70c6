-- A join: the values of a list that travels as one parameter.
LEFT JOIN (
  SELECT DISTINCT value
    FROM (SELECT explode(from_json(${list}, ${type})) AS value) AS list
) AS ${alias}
ON ${same}
