-- Types by what they are called; what is only guessed from the bytes (no language, no module) is no type here.
SELECT id, content_key(0, language, module, name)
FROM type WHERE coalesce(language, '') <> '' OR coalesce(module, '') <> ''
