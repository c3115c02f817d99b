-- What is taken out of sight: leaks and garbage apart from living cycles, and counts.
SELECT count(*) FILTER (WHERE c.kind = 'leak') AS leaks,
       coalesce(sum(c.bytes) FILTER (WHERE c.kind = 'leak'), 0) AS bytes,
       count(*) FILTER (WHERE c.kind = 'cycle') AS cycles,
       (SELECT count(*) FROM known_count) AS counts,
       (SELECT count(*) FROM known_site k JOIN site s ON s.id = k.site_id WHERE s.live_bytes > 0) AS sites
FROM known_cluster k JOIN cluster c ON c.id = k.cluster_id
