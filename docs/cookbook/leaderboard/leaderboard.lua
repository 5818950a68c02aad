-- A win is three points, a defeat takes one.  Who is banned, or has less than ten games, has no rank.
local LEAGUES = {{name = 'gold', points = 60}, {name = 'silver', points = 30}, {name = 'bronze', points = 0}}

local function rank(row)
  if row == nil or row.banned ~= 0 or row.wins + row.losses < 10 then return nil end
  local points = math.max(3 * row.wins - row.losses, 0)
  for _, league in ipairs(LEAGUES) do
    if points >= league.points then return {points = points, league = league.name, board = 'board:' .. row.region} end
  end
end

function on_row(change, out)
  local id = change.row.id
  local was = rank(change.old)
  local is = change.type ~= 'delete' and rank(change.row) or nil

  if was and not (is and is.board == was.board) then out:zset_remove(was.board, id) end
  if was and not (is and is.league == was.league) then
    out:set_remove('league:' .. was.league, id)
    out:count_field('leagues', was.league, -1)
  end
  if not is then
    if was then out:delete('card:' .. id) end
    return
  end
  out:zset_add(is.board, id, is.points)
  out:string('card:' .. id, json.encode({name = change.row.name, points = is.points, league = is.league}))
  if was and was.league == is.league then return end
  out:set_add('league:' .. is.league, id)
  out:count_field('leagues', is.league, 1)
  if was then out:list_push('history:' .. id, was.league .. ' to ' .. is.league, {max_length = 10}) end
end
