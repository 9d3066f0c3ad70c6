-- Marks which text a view has, or that it is being changed.
ALTER VIEW ${view} SET TBLPROPERTIES (${mark})
