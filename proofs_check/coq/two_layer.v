(* Two-layer ReLU networks on the line: their output, its gradient in the weights and its kinks in the input, as in
   theory/two_layer.py. The gradient and the kinks are proved to be derivatives. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(* f(x) = sum_i w2_i [w1_i x + b1_i]_+ + b2 (mulayoff2021, eq 18; volhejn2020, eq 3.14). *)
Record neuron := Neuron { w1 : R; b1 : R; w2 : R }.
Record network := Network { neurons : list neuron; b2 : R }.

Definition relu (z : R) : R := Rmax 0 z.
Definition pre_activation (u : neuron) (x : R) : R := w1 u * x + b1 u.
Definition output (net : network) (x : R) : R :=
  sum (fun u => w2 u * relu (pre_activation u x)) (neurons net) + b2 net.

(* Where unit u toggles; without meaning if w1 = 0. *)
Definition knot (u : neuron) : R := - b1 u / w1 u.

(* 1 on the active side, 0 on the other, and 0 at the knot itself. *)
Definition active (u : neuron) (x : R) : R := if Rlt_dec 0 (pre_activation u x) then 1 else 0.

(* The names of the 3k + 1 weights; a vector in weight space is a function on them. *)
Inductive parameter := W1 (i : nat) | B1 (i : nat) | W2 (i : nat) | B2.

Definition width (net : network) : nat := length (neurons net).
Definition of_unit (i : nat) : list parameter := [W1 i; B1 i; W2 i].
Definition parameters (net : network) : list parameter := flat_map of_unit (seq 0 (width net)) ++ [B2].

Definition unit (net : network) (i : nat) : neuron := nth i (neurons net) (Neuron 0 0 0).

(* The gradient of f(x) in the weights (mulayoff2021, eq 29). *)
Definition gradient (net : network) (x : R) (p : parameter) : R :=
  match p with
  | W1 i => w2 (unit net i) * active (unit net i) x * x
  | B1 i => w2 (unit net i) * active (unit net i) x
  | W2 i => relu (pre_activation (unit net i) x)
  | B2 => 1
  end.

(* theta + s v *)
Definition moved_unit (u : neuron) (v : parameter -> R) (s : R) (i : nat) : neuron :=
  Neuron (w1 u + s * v (W1 i)) (b1 u + s * v (B1 i)) (w2 u + s * v (W2 i)).
Definition move (net : network) (v : parameter -> R) (s : R) : network :=
  Network (map (fun i => moved_unit (unit net i) v s i) (seq 0 (width net))) (b2 net + s * v B2).

(* No unit toggles on a data point. *)
Definition off_the_data (net : network) (x : list R) : Prop :=
  forall u t, In u (neurons net) -> In t x -> pre_activation u t <> 0.

Lemma sum_parameters (F : parameter -> R) (net : network) :
  sum F (parameters net) = sum (fun i => F (W1 i) + F (B1 i) + F (W2 i)) (seq 0 (width net)) + F B2.
Proof.
  unfold parameters. rewrite sum_app, sum_flat_map. simpl. rewrite Rplus_0_r. f_equal.
  apply sum_eq. intros i _. simpl. ring.
Qed.

Lemma sum_units (F : neuron -> R) (net : network) :
  sum (fun i => F (unit net i)) (seq 0 (width net)) = sum F (neurons net).
Proof. apply sum_nth. Qed.

Lemma unit_in net i : In i (seq 0 (width net)) -> In (unit net i) (neurons net).
Proof. intros H. apply in_seq in H. apply nth_In. unfold width in *. lia. Qed.

(* The gradient is the derivative. *)

Lemma relu_pos z : 0 <= z -> relu z = z.
Proof. apply Rmax_right. Qed.

Lemma relu_neg z : z <= 0 -> relu z = 0.
Proof. apply Rmax_left. Qed.

(* Near s = 0 finitely many things, each true near 0, are true together. *)
Lemma together {A : Type} (P : A -> R -> Prop) (l : list A) :
  (forall a, In a l -> exists d, 0 < d /\ forall s, Rabs s < d -> P a s) ->
  exists d, 0 < d /\ forall a, In a l -> forall s, Rabs s < d -> P a s.
Proof.
  induction l as [|a l IH]; intros each; [exists 1; split; [lra|easy]|].
  destruct (each a (or_introl eq_refl)) as [d [d_pos near]].
  destruct IH as [e [e_pos nears]]; [intros; apply each; now right|].
  exists (Rmin d e). split; [now apply Rmin_glb_lt|].
  intros b [<-|Hb] s small.
  - apply near. eapply Rlt_le_trans; [exact small|apply Rmin_l].
  - apply nears; [easy|]. eapply Rlt_le_trans; [exact small|apply Rmin_r].
Qed.

(* A number that is not 0 keeps its sign under small changes s c. *)
Lemma keeps_sign (z c : R) : z <> 0 -> exists d, 0 < d /\ forall s, Rabs s < d -> 0 < z * (z + s * c).
Proof.
  intros nonzero. assert (0 < Rabs z) by now apply Rabs_pos_lt. pose proof (Rabs_pos c).
  exists (Rabs z / (Rabs c + 1)). split; [apply Rdiv_lt_0_compat; lra|].
  intros s small.
  assert (Rabs s * (Rabs c + 1) < Rabs z).
  { replace (Rabs z) with (Rabs z / (Rabs c + 1) * (Rabs c + 1)) by (field; lra). apply Rmult_lt_compat_r; lra. }
  pose proof (Rabs_pos s).
  assert (Rabs (z * (s * c)) < z * z).
  { rewrite !Rabs_mult. replace (z * z) with (Rabs z * Rabs z) by (unfold Rabs; destruct (Rcase_abs z); ring). nra. }
  pose proof (Rle_abs (- (z * (s * c)))) as below. rewrite Rabs_Ropp in below. nra.
Qed.

(* While no unit toggles, one unit's output is quadratic in s, with the gradient as its slope at 0. *)
Definition unit_slope (u : neuron) (v : parameter -> R) (i : nat) (x : R) : R :=
  v (W2 i) * relu (pre_activation u x) + w2 u * active u x * (v (W1 i) * x + v (B1 i)).
Definition unit_bend (u : neuron) (v : parameter -> R) (i : nat) (x : R) : R :=
  v (W2 i) * active u x * (v (W1 i) * x + v (B1 i)).

Lemma unit_near u v i x :
  pre_activation u x <> 0 -> exists d, 0 < d /\ forall s, Rabs s < d ->
  w2 (moved_unit u v s i) * relu (pre_activation (moved_unit u v s i) x)
  = w2 u * relu (pre_activation u x) + s * unit_slope u v i x + s * s * unit_bend u v i x.
Proof.
  intros off. destruct (keeps_sign (pre_activation u x) (v (W1 i) * x + v (B1 i)) off) as [d [d_pos same]].
  exists d. split; [easy|]. intros s small. specialize (same s small).
  assert (pre_activation (moved_unit u v s i) x = pre_activation u x + s * (v (W1 i) * x + v (B1 i))) as ->
    by (unfold pre_activation; simpl; ring).
  unfold unit_slope, unit_bend, active. simpl.
  destruct (Rlt_dec 0 (pre_activation u x)).
  - rewrite !relu_pos by nra. ring.
  - rewrite !relu_neg by nra. ring.
Qed.

Definition slope (net : network) (v : parameter -> R) (x : R) : R :=
  sum (fun p => gradient net x p * v p) (parameters net).
Definition bend (net : network) (v : parameter -> R) (x : R) : R :=
  sum (fun i => unit_bend (unit net i) v i x) (seq 0 (width net)).

Lemma output_near net v x :
  off_the_data net [x] -> exists d, 0 < d /\ forall s, Rabs s < d ->
  output (move net v s) x = output net x + s * slope net v x + s * s * bend net v x.
Proof.
  intros off.
  destruct (together (fun i s =>
      w2 (moved_unit (unit net i) v s i) * relu (pre_activation (moved_unit (unit net i) v s i) x)
      = w2 (unit net i) * relu (pre_activation (unit net i) x)
        + s * unit_slope (unit net i) v i x + s * s * unit_bend (unit net i) v i x) (seq 0 (width net)))
    as [d [d_pos near]].
  { intros i Hi. apply unit_near, off; [now apply unit_in|now left]. }
  exists d. split; [easy|]. intros s small. unfold output, slope, bend. rewrite sum_parameters.
  simpl. rewrite sum_map, (sum_eq _ _ _ (fun i Hi => near i Hi s small)), !sum_plus, !sum_scal.
  rewrite (sum_units (fun u => w2 u * relu (pre_activation u x))), !Rmult_plus_distr_l.
  replace (sum (fun i => unit_slope (unit net i) v i x) (seq 0 (width net))) with
    (sum (fun i => w2 (unit net i) * active (unit net i) x * x * v (W1 i)) (seq 0 (width net))
     + sum (fun i => w2 (unit net i) * active (unit net i) x * v (B1 i)) (seq 0 (width net))
     + sum (fun i => relu (pre_activation (unit net i) x) * v (W2 i)) (seq 0 (width net))); [ring|].
  rewrite <- !sum_plus. apply sum_eq. intros i _. unfold unit_slope. ring.
Qed.

(* The derivative of f(x) along v is the product of the gradient and v. *)
Theorem gradient_is_derivative net v x :
  off_the_data net [x] ->
  derivable_pt_lim (fun s => output (move net v s) x) 0 (sum (fun p => gradient net x p * v p) (parameters net)).
Proof.
  intros off eps eps_pos. destruct (output_near net v x off) as [d [d_pos near]].
  set (m := Rabs (bend net v x) + 1). assert (0 < m) by (unfold m; pose proof (Rabs_pos (bend net v x)); lra).
  assert (0 < eps / m) by (apply Rdiv_lt_0_compat; lra).
  exists (mkposreal (Rmin d (eps / m)) (Rmin_glb_lt _ _ _ d_pos H0)). simpl. intros h nonzero small.
  assert (Rabs h < d) by (eapply Rlt_le_trans; [exact small|apply Rmin_l]).
  assert (Rabs h < eps / m) by (eapply Rlt_le_trans; [exact small|apply Rmin_r]).
  rewrite Rplus_0_l, (near h), (near 0) by (rewrite ?Rabs_R0; easy). fold (slope net v x).
  replace ((output net x + h * slope net v x + h * h * bend net v x
            - (output net x + 0 * slope net v x + 0 * 0 * bend net v x)) / h - slope net v x)
    with (h * bend net v x) by (field; easy).
  rewrite Rabs_mult. assert (Rabs h * m < eps).
  { replace eps with (eps / m * m) by (field; lra). apply Rmult_lt_compat_r; lra. }
  unfold m in *. pose proof (Rabs_pos h). pose proof (Rabs_pos (bend net v x)). nra.
Qed.

(* Kinks: f'(c+) - f'(c-), from the one-sided derivatives of a function. *)

Definition right_derivative (f : R -> R) (c r : R) : Prop :=
  forall eps, 0 < eps -> exists d, 0 < d /\ forall h, 0 < h < d -> Rabs ((f (c + h) - f c) / h - r) < eps.
Definition left_derivative (f : R -> R) (c l : R) : Prop :=
  forall eps, 0 < eps -> exists d, 0 < d /\ forall h, 0 < h < d -> Rabs ((f c - f (c - h)) / h - l) < eps.
Definition kink (f : R -> R) (c jump : R) : Prop :=
  exists l r, left_derivative f c l /\ right_derivative f c r /\ jump = r - l.

Lemma limits_agree (F : R -> R) (a b : R) :
  (forall eps, 0 < eps -> exists d, 0 < d /\ forall h, 0 < h < d -> Rabs (F h - a) < eps) ->
  (forall eps, 0 < eps -> exists d, 0 < d /\ forall h, 0 < h < d -> Rabs (F h - b) < eps) -> a = b.
Proof.
  intros Ha Hb. apply cond_eq. intros eps eps_pos.
  destruct (Ha (eps / 2)) as [d [d_pos near_a]]; [lra|]. destruct (Hb (eps / 2)) as [e [e_pos near_b]]; [lra|].
  assert (0 < Rmin d e) by now apply Rmin_glb_lt. pose proof (Rmin_l d e). pose proof (Rmin_r d e).
  specialize (near_a (Rmin d e / 2)). specialize (near_b (Rmin d e / 2)).
  set (y := F (Rmin d e / 2)) in *. replace (a - b) with ((y - b) - (y - a)) by ring.
  eapply Rle_lt_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp.
  assert (Rabs (y - a) < eps / 2) by (apply near_a; lra). assert (Rabs (y - b) < eps / 2) by (apply near_b; lra). lra.
Qed.

Lemma kink_unique f c j k : kink f c j -> kink f c k -> j = k.
Proof.
  intros [l [r [Hl [Hr ->]]]] [l' [r' [Hl' [Hr' ->]]]].
  now rewrite (limits_agree _ l l' Hl Hl'), (limits_agree _ r r' Hr Hr').
Qed.

Lemma kink_ext f g c j : (forall t, f t = g t) -> kink f c j -> kink g c j.
Proof.
  intros same [l [r [Hl [Hr ->]]]]. exists l, r. split; [|split; [|reflexivity]].
  - intros eps eps_pos. destruct (Hl eps eps_pos) as [d [d_pos near]]. exists d. split; [easy|].
    intros h Hh. rewrite <- !same. now apply near.
  - intros eps eps_pos. destruct (Hr eps eps_pos) as [d [d_pos near]]. exists d. split; [easy|].
    intros h Hh. rewrite <- !same. now apply near.
Qed.

(* The jump of f' at c: units with their knot there add w2 |w1|. *)
Definition unit_jump (u : neuron) (c : R) : R := if Req_EM_T (pre_activation u c) 0 then w2 u * Rabs (w1 u) else 0.
Definition jump (net : network) (c : R) : R := sum (fun u => unit_jump u c) (neurons net).

(* Slopes of a unit to the right and to the left of c. *)
Definition right_slope (u : neuron) (c : R) : R :=
  if Rlt_dec 0 (pre_activation u c) then w2 u * w1 u
  else if Req_EM_T (pre_activation u c) 0 then w2 u * Rmax 0 (w1 u) else 0.
Definition left_slope (u : neuron) (c : R) : R :=
  if Rlt_dec 0 (pre_activation u c) then w2 u * w1 u
  else if Req_EM_T (pre_activation u c) 0 then w2 u * Rmin 0 (w1 u) else 0.

Lemma unit_sides u c : exists d, 0 < d /\ forall h, Rabs h < d -> 0 < h ->
  w2 u * relu (pre_activation u (c + h)) = w2 u * relu (pre_activation u c) + h * right_slope u c /\
  w2 u * relu (pre_activation u (c - h)) = w2 u * relu (pre_activation u c) - h * left_slope u c.
Proof.
  assert (forall h, pre_activation u (c + h) = pre_activation u c + h * w1 u) as plus
    by (intros; unfold pre_activation; ring).
  assert (forall h, pre_activation u (c - h) = pre_activation u c + - h * w1 u) as minus
    by (intros; unfold pre_activation; ring).
  set (z := pre_activation u c) in *. unfold right_slope, left_slope. fold z.
  destruct (Req_EM_T z 0) as [at_knot|off].
  - exists 1. split; [lra|]. intros h _ h_pos. rewrite plus, minus, at_knot.
    destruct (Rlt_dec 0 0); [lra|].
    rewrite (relu_pos 0) by lra. destruct (Rle_dec 0 (w1 u)).
    + rewrite (relu_pos (0 + h * w1 u)), (relu_neg (0 + - h * w1 u)), Rmax_right, Rmin_left by nra. split; ring.
    + rewrite (relu_neg (0 + h * w1 u)), (relu_pos (0 + - h * w1 u)), Rmax_left, Rmin_right by nra. split; ring.
  - destruct (keeps_sign z (w1 u) off) as [d [d_pos same]].
    exists d. split; [easy|]. intros h small h_pos. rewrite plus, minus.
    pose proof (same h small). pose proof (same (- h)) as back. rewrite Rabs_Ropp in back. specialize (back small).
    destruct (Rlt_dec 0 z).
    + rewrite !relu_pos by nra. split; ring.
    + rewrite !relu_neg by nra. split; ring.
Qed.

Lemma output_sides net c : exists d, 0 < d /\ forall h, 0 < h < d ->
  output net (c + h) = output net c + h * sum (fun u => right_slope u c) (neurons net) /\
  output net (c - h) = output net c - h * sum (fun u => left_slope u c) (neurons net).
Proof.
  destruct (together (fun u h => 0 < h ->
      w2 u * relu (pre_activation u (c + h)) = w2 u * relu (pre_activation u c) + h * right_slope u c /\
      w2 u * relu (pre_activation u (c - h)) = w2 u * relu (pre_activation u c) - h * left_slope u c) (neurons net))
    as [d [d_pos near]].
  { intros u _. apply unit_sides. }
  exists d. split; [easy|]. intros h [h_pos small]. rewrite <- (Rabs_pos_eq h) in small by lra.
  unfold output.
  rewrite (sum_eq _ _ _ (fun u Hu => proj1 (near u Hu h small h_pos))), sum_plus, sum_scal.
  rewrite (sum_eq _ _ _ (fun u Hu => proj2 (near u Hu h small h_pos))), sum_minus, sum_scal.
  split; ring.
Qed.

Theorem network_kink net c : kink (output net) c (jump net c).
Proof.
  destruct (output_sides net c) as [d [d_pos near]].
  exists (sum (fun u => left_slope u c) (neurons net)), (sum (fun u => right_slope u c) (neurons net)).
  split; [|split].
  - intros eps eps_pos. exists d. split; [easy|]. intros h Hh. destruct (near h Hh) as [_ ->].
    match goal with |- Rabs ?e < _ => replace e with 0 by (field; lra) end. rewrite Rabs_R0. easy.
  - intros eps eps_pos. exists d. split; [easy|]. intros h Hh. destruct (near h Hh) as [-> _].
    match goal with |- Rabs ?e < _ => replace e with 0 by (field; lra) end. rewrite Rabs_R0. easy.
  - unfold jump. rewrite <- sum_minus. apply sum_eq. intros u _. unfold unit_jump, right_slope, left_slope.
    destruct (Rlt_dec 0 (pre_activation u c)), (Req_EM_T (pre_activation u c) 0); try lra.
    unfold Rabs, Rmax, Rmin. destruct (Rcase_abs (w1 u)); repeat destruct Rle_dec; nra.
Qed.

(* All kinks are knots of units. *)
Lemma kinks_are_knots net c :
  ~ In c (map knot (filter (fun u => if Req_EM_T (w1 u) 0 then false else true) (neurons net))) -> jump net c = 0.
Proof.
  intros elsewhere. apply sum_zero. intros u Hu. unfold unit_jump.
  destruct (Req_EM_T (pre_activation u c) 0) as [toggles|]; [|easy].
  destruct (Req_dec (w1 u) 0) as [flat|sloped]; [rewrite flat, Rabs_R0; ring|].
  exfalso. apply elsewhere, in_map_iff. exists u. split.
  - unfold knot, pre_activation in *. field_simplify_eq; lra.
  - apply filter_In. split; [easy|]. now destruct (Req_EM_T (w1 u) 0).
Qed.
