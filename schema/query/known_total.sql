-- What is taken out of sight: leaks and garbage apart from living cycles, and counts.
SELECT coalesce(sum(k.clusters) FILTER (WHERE s.kind = 'leak'), 0) AS leaks,
       coalesce(sum(k.bytes) FILTER (WHERE s.kind = 'leak'), 0) AS bytes,
       coalesce(sum(k.clusters) FILTER (WHERE s.kind = 'cycle'), 0) AS cycles,
       (SELECT count(*) FROM known_count) AS counts,
       (SELECT count(*) FROM known_site k JOIN site s ON s.id = k.site_id WHERE s.live_bytes > 0) AS sites
FROM known_shape k JOIN shape s ON s.id = k.shape_id
